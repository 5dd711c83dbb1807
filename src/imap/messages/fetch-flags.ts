import type { ImapConnection } from '../connection/connection.js';
import { flagsOf } from '../connection/selection.js';
import type { UntaggedHandler } from '../wire/command.js';
import { tooLarge } from '../wire/errors.js';
import { atom, type ImapArgument, listOf, sequence, textOf } from '../wire/tokens.js';
import { MOST_KEPT_BYTES } from './fetch-rows.js';

/** Flags by uid, unordered; with `changedSince` only those changed later (CHANGEDSINCE, RFC 7162 section 3.1.4.1). */
export async function fetchFlags(
  connection: ImapConnection,
  set: string,
  by: 'uid' | 'sequence',
  changedSince?: bigint,
): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  const args: ImapArgument[] = [sequence(set), [atom('UID'), atom('FLAGS')]];
  if (changedSince !== undefined) args.push([atom('CHANGEDSINCE'), atom(changedSince.toString())]);
  const take = flagCollector(connection, found);
  const command = by === 'uid' ? 'UID FETCH' : 'FETCH';
  await connection.exec('read', command, args, {
    FETCH: (response) => {
      // Skips unsolicited flag changes of other messages, which have a uid with QRESYNC (RFC 7162 section 3.2.3).
      if (by === 'uid' || isInRange(response.number ?? 0, set)) take(response);
    },
  });
  return found;
}

/**
 * Asks for the changes of messages after a mod-sequence (RFC 7162 section 3.2.6), and hands them on one by one: a server
 * may report millions.
 * @param vanished takes sets of uids of messages that are gone, which may name any others that never were; only where
 *   QRESYNC is enabled
 */
export async function fetchChanges(
  connection: ImapConnection,
  set: string,
  since: bigint,
  flags: (uid: number, flags: string[]) => void,
  vanished?: (uids: string) => void,
): Promise<void> {
  const modifiers = [atom('CHANGEDSINCE'), atom(since.toString()), ...(vanished ? [atom('VANISHED')] : [])];
  await connection.exec('read', 'UID FETCH', [sequence(set), [atom('UID'), atom('FLAGS')], modifiers], {
    FETCH: ({ items, damaged }) => {
      const { uid, flags: now } = flagsOf(items);
      if (uid && now) flags(uid, now);
      else if (damaged) connection.noteUnreadable({ response: 'FETCH', uid, items: ['FLAGS'] });
    },
    VANISHED: ({ attributes: [tags, uids] }) => {
      const earlier = listOf(tags).some((tag) => textOf(tag).toUpperCase() === 'EARLIER');
      if (earlier) vanished?.(textOf(uids));
    },
  });
}

/**
 * Takes FETCH responses and keeps the flags of those with a uid; the last response for a message counts. A connection
 * with more than 64 MiB of such responses is closed with TOO_LARGE.
 */
export function flagCollector(connection: ImapConnection, into: Map<number, string[]>): UntaggedHandler {
  let bytes = 0;
  return ({ items, damaged, size }) => {
    bytes += size;
    if (bytes > MOST_KEPT_BYTES) {
      connection.giveUp(tooLarge('bytes of flags', MOST_KEPT_BYTES));
      return;
    }
    const { uid, flags } = flagsOf(items);
    if (uid && flags) into.set(uid, flags);
    else if (damaged) connection.noteUnreadable({ response: 'FETCH', uid, items: ['FLAGS'] });
  };
}

/** Whether a number is in a range such as `3:17`. */
function isInRange(number: number, range: string): boolean {
  const [from = 0, to = from] = range.split(':').map(Number);
  return number >= from && number <= to;
}
