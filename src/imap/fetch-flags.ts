import type { ImapConnection } from './connection.js';
import { flagsTold } from './flow-journal.js';
import { atom, type ImapArgument, listOf, rawExec, sequence, type UntaggedHandler } from './raw-exec.js';

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
  const take = flagCollector(found);
  const command = by === 'uid' ? 'UID FETCH' : 'FETCH';
  await rawExec(connection, 'read', command, args, {
    FETCH: (response, nameOf) => {
      // Of another message: its flags changed, which a server with QRESYNC tells with the uid (RFC 7162 section 3.2.3).
      if (by === 'uid' || isWithin(Number(response.command), set)) take(response, nameOf);
    },
  });
  return found;
}

/** Takes FETCH responses and keeps the flags of those that tell a uid: the last word on each counts. */
export function flagCollector(into: Map<number, string[]>): UntaggedHandler {
  return ({ attributes }) => {
    const { uid, flags } = flagsTold(listOf(attributes[1]));
    if (uid && flags) into.set(uid, flags);
  };
}

/** Whether a number is in a range such as `3:17`. */
function isWithin(number: number, range: string): boolean {
  const [from = 0, to = from] = range.split(':').map(Number);
  return number >= from && number <= to;
}
