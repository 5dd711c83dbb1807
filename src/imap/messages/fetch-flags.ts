import type { ImapConnection } from '../connection/connection.js';
import { flagsOf } from '../connection/selection.js';
import type { UntaggedHandler } from '../wire/command.js';
import { atom, type ImapArgument, sequence } from '../wire/tokens.js';

/** Flags by uid, in no order. With `changedSince` only of what changed after it (CHANGEDSINCE, RFC 7162 section 3.1.4.1). */
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
      // Of another message: its flags changed, which a server with QRESYNC tells with the uid (RFC 7162 section 3.2.3).
      if (by === 'uid' || isWithin(response.number ?? 0, set)) take(response);
    },
  });
  return found;
}

/** Takes FETCH responses and keeps the flags of those that tell a uid: the last word on each counts. */
export function flagCollector(connection: ImapConnection, into: Map<number, string[]>): UntaggedHandler {
  return ({ items, damaged }) => {
    const { uid, flags } = flagsOf(items);
    if (uid && flags) into.set(uid, flags);
    else if (damaged) connection.noteUnreadable({ response: 'FETCH', uid, items: ['FLAGS'] });
  };
}

/** Whether a number is in a range such as `3:17`. */
function isWithin(number: number, range: string): boolean {
  const [from = 0, to = from] = range.split(':').map(Number);
  return number >= from && number <= to;
}
