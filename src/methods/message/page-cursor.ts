import { BrokerError } from '../../protocol/errors.js';

/** Where the next page begins: below this uid, in this folder of this UIDVALIDITY. */
export interface PageCursor {
  mailbox: string;
  uidValidity: number;
  below: number;
  /** Sequence number that the uid had then: the page begins near that number, as a rule. */
  near: number;
}

/** Few bytes that tell folders apart, so that a cursor never continues another folder's list. */
function tagOf(mailbox: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(mailbox)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36);
}

export function encodeCursor({ mailbox, uidValidity, below, near }: PageCursor): string {
  return Buffer.from([uidValidity, below, near, tagOf(mailbox)].join('.')).toString('base64url');
}

/**
 * @throws BrokerError INVALID_PARAMS for anything that no page answered, STATE_CHANGED for the cursor of another folder
 */
export function decodeCursor(mailbox: string, cursor: string): PageCursor {
  const plain = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, uidValidity, below, near, tag] = /^(\d{1,10})\.(\d{1,10})\.(\d{1,10})\.([0-9a-z]{1,7})$/.exec(plain) ?? [];
  if (uidValidity === undefined || Buffer.from(plain).toString('base64url') !== cursor) {
    throw new BrokerError('INVALID_PARAMS', 'cursor: not one that message.list answered.', { field: 'cursor' });
  }
  if (tag !== tagOf(mailbox)) {
    throw new BrokerError('STATE_CHANGED', 'cursor: of another folder; list this one from its start.', {
      field: 'cursor',
    });
  }
  return { mailbox, uidValidity: Number(uidValidity), below: Number(below), near: Number(near) };
}
