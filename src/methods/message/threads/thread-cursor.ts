import { createHash } from 'node:crypto';
import { BrokerError } from '../../../protocol/errors.js';

/** Where the next page of conversations begins, in this folder of this UIDVALIDITY. */
export interface ThreadCursor {
  uidValidity: number;
  /** The newest message of the last conversation that was answered. */
  anchor: number;
  /** Conversations that were before it and with it, for where the anchor is gone. */
  offset: number;
}

/** Few characters that tell lists apart: a cursor never continues the list of another folder or filter. */
function tagOf(list: string): string {
  return createHash('sha1').update(list).digest('hex').slice(0, 12);
}

/** @param list what was asked for, without the page */
export function encodeThreadCursor(list: string, { uidValidity, anchor, offset }: ThreadCursor): string {
  return Buffer.from(['t', uidValidity, anchor, offset, tagOf(list)].join('.')).toString('base64url');
}

/** @throws BrokerError INVALID_PARAMS for what no page of the list answered */
export function decodeThreadCursor(list: string, cursor: string): ThreadCursor {
  const plain = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, uidValidity, anchor, offset, tag] =
    /^t\.(\d{1,10})\.(\d{1,10})\.(\d{1,7})\.([0-9a-f]{12})$/.exec(plain) ?? [];
  if (uidValidity === undefined || tag !== tagOf(list)) {
    throw new BrokerError('INVALID_PARAMS', 'cursor: not one that message.threads answered to the same params.', {
      field: 'cursor',
    });
  }
  return { uidValidity: Number(uidValidity), anchor: Number(anchor), offset: Number(offset) };
}
