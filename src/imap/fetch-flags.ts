import type { ImapConnection } from './connection.js';
import { toFlags } from './convert.js';
import {
  atom,
  type ImapArgument,
  listOf,
  numberOf,
  rawExec,
  sequence,
  textOf,
  type UntaggedHandler,
} from './raw-exec.js';

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
  await rawExec(connection, 'read', by === 'uid' ? 'UID FETCH' : 'FETCH', args, { FETCH: flagCollector(found) });
  return found;
}

/** Takes FETCH responses and keeps the flags of those that tell a uid: the last word on each counts. */
export function flagCollector(into: Map<number, string[]>): UntaggedHandler {
  return ({ attributes }) => {
    const pairs = listOf(attributes[1]);
    let uid: number | undefined;
    let flags: string[] | undefined;
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const name = textOf(pairs[index]).toUpperCase();
      if (name === 'UID') uid = numberOf(pairs[index + 1]);
      else if (name === 'FLAGS') flags = toFlags(pairs[index + 1]);
    }
    if (uid && flags) into.set(uid, flags);
  };
}
