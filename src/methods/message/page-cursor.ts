import { BrokerError } from '../../protocol/errors.js';

/** Where the next page begins: below this uid, in the folder of this UIDVALIDITY. */
export interface PageCursor {
  uidValidity: number;
  below: number;
}

export function encodeCursor({ uidValidity, below }: PageCursor): string {
  return Buffer.from(`${uidValidity}.${below}`).toString('base64url');
}

/** @throws BrokerError INVALID_PARAMS for anything that no page answered */
export function decodeCursor(cursor: string): PageCursor {
  const [, uidValidity, below] = /^(\d{1,10})\.(\d{1,10})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (uidValidity === undefined || below === undefined) {
    throw new BrokerError('INVALID_PARAMS', 'cursor: not one that message.list answered.', { field: 'cursor' });
  }
  return { uidValidity: Number(uidValidity), below: Number(below) };
}
