import type { ImapConnection } from '../../imap/connection.js';
import { existing } from '../../imap/store.js';
import type { SessionContext } from '../context.js';
import { write } from '../writing.js';

interface Named {
  mailbox: string;
  uidValidity: number;
  uids: readonly number[];
  /** The folder that they are put into. */
  destination?: string;
}

/** A session that was not told of new messages yet does not find them. */
async function existingNow(connection: ImapConnection, { mailbox, uidValidity, uids }: Named): Promise<number[]> {
  const found = await existing(connection, uids);
  if (found.length === new Set(uids).size) return found;
  await connection.select(mailbox, { fresh: true, uidValidity });
  return existing(connection, uids);
}

/** Does something to those of the named messages that exist, and tells which do not. */
export function onExisting<T>(
  context: SessionContext,
  { mailbox, uidValidity, uids, destination }: Named,
  work: (connection: ImapConnection, found: number[]) => Promise<T>,
): Promise<{ value: T; notFound: number[] }> {
  const others = destination === undefined ? [] : [destination];
  return write(context, { selected: mailbox, others }, async (connection) => {
    await connection.select(mailbox, { uidValidity });
    const found = await existingNow(connection, { mailbox, uidValidity, uids });
    const there = new Set(found);
    const value = await work(connection, found);
    // A server that found trouble meanwhile may have changed what was there before: then this says STATE_CHANGED.
    await connection.select(mailbox, { uidValidity });
    return { value, notFound: [...new Set(uids)].filter((uid) => !there.has(uid)) };
  });
}
