import { BrokerError } from '../../protocol/errors.js';

/** Where the next page begins: below this uid, in this folder of this UIDVALIDITY. */
export interface PageCursor {
  mailbox: string;
  uidValidity: number;
  below: number;
  /** Sequence number that the uid had then: the page begins near that number, as a rule. */
  near: number;
}

/** Where the next page of a list with a filter or a sort begins: behind this message. */
export interface ListCursor {
  mailbox: string;
  /** Names the filter and the sort. */
  listing: string;
  uidValidity: number;
  after: number;
  /** Messages of the list before the page. */
  offset: number;
}

/** Few bytes that tell names apart, so that a cursor never continues another folder's list. */
function tagOf(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36);
}

export function encodeCursor({ mailbox, uidValidity, below, near }: PageCursor): string {
  return Buffer.from([uidValidity, below, near, tagOf(mailbox)].join('.')).toString('base64url');
}

export function encodeListCursor({ mailbox, listing, uidValidity, after, offset }: ListCursor): string {
  return Buffer.from([uidValidity, after, offset, tagOf(mailbox), tagOf(listing)].join('.')).toString('base64url');
}

/**
 * @throws BrokerError INVALID_PARAMS for anything that no page without filter and sort answered, STATE_CHANGED for the
 *   cursor of another folder
 */
export function decodeCursor(mailbox: string, cursor: string): PageCursor {
  const { numbers, listing } = read(mailbox, cursor);
  if (listing !== undefined) throw invalid('of a list with a filter or a sort, which this one has not');
  const [uidValidity = 0, below = 0, near = 0] = numbers;
  return { mailbox, uidValidity, below, near };
}

/**
 * @throws BrokerError INVALID_PARAMS for anything that no page with this filter and this sort answered, STATE_CHANGED for
 *   the cursor of another folder
 */
export function decodeListCursor(mailbox: string, listing: string, cursor: string): ListCursor {
  const { numbers, listing: tag } = read(mailbox, cursor);
  if (tag !== tagOf(listing)) throw invalid('of a list with another filter or sort');
  const [uidValidity = 0, after = 0, offset = 0] = numbers;
  return { mailbox, listing, uidValidity, after, offset };
}

function read(mailbox: string, cursor: string): { numbers: number[]; listing: string | undefined } {
  const plain = Buffer.from(cursor, 'base64url').toString('latin1');
  const match = /^(\d{1,10})\.(\d{1,10})\.(\d{1,10})\.([0-9a-z]{1,7})(?:\.([0-9a-z]{1,7}))?$/.exec(plain);
  if (!match || Buffer.from(plain).toString('base64url') !== cursor)
    throw invalid('not one that message.list answered');
  const [, uidValidity, second, third, tag, listing] = match;
  if (tag !== tagOf(mailbox)) {
    throw new BrokerError('STATE_CHANGED', 'cursor: of another folder; list this one from its start.', {
      field: 'cursor',
    });
  }
  return { numbers: [uidValidity, second, third].map(Number), listing };
}

function invalid(why: string): BrokerError {
  return new BrokerError('INVALID_PARAMS', `cursor: ${why}.`, { field: 'cursor' });
}
