import { makesUpMissing } from '../../imap/capabilities.js';
import type { ImapConnection } from '../../imap/connection.js';
import { existing } from '../../imap/store.js';
import type { SessionContext } from '../context.js';
import { write } from '../writing.js';

interface Folder {
  mailbox: string;
  uidValidity: number;
  /** The folder that messages are put into. */
  destination?: string;
}

interface Named extends Folder {
  uids: readonly number[];
}

/** Changes messages of a folder, which is the one that the caller knows from before the change until after it. */
export function changing<T>(
  context: SessionContext,
  { mailbox, uidValidity, destination }: Folder,
  work: (connection: ImapConnection) => Promise<T>,
): Promise<T> {
  const others = destination === undefined ? [] : [destination];
  return write(context, { selected: mailbox, others }, async (connection) => {
    await connection.select(mailbox, { uidValidity, fresh: makesUpMissing(connection) });
    const value = await work(connection);
    // A server that found trouble meanwhile may have changed what was there before: then this says STATE_CHANGED.
    await connection.select(mailbox, { uidValidity });
    return value;
  });
}

/**
 * Does something to messages by uid, and once more to those that it did not find: the session may not have been told of
 * them yet.
 * @param attempt answers which it found
 */
export async function findingAll(
  connection: ImapConnection,
  { mailbox, uidValidity, uids }: Named,
  attempt: (uids: readonly number[]) => Promise<Iterable<number>>,
): Promise<void> {
  // The session was told of everything below it.
  const heard = connection.selected?.uidNext ?? 0;
  const found = new Set(await attempt(uids));
  const unheard = uids.filter((uid) => uid >= heard && !found.has(uid));
  if (unheard.length === 0) return;
  await connection.select(mailbox, { fresh: true, uidValidity });
  await attempt(unheard);
}

/** Does something to those of the named messages that exist, and tells which do not. */
export function onExisting<T>(
  context: SessionContext,
  named: Named,
  work: (connection: ImapConnection, found: number[]) => Promise<T>,
): Promise<{ value: T; notFound: number[] }> {
  const uids = [...new Set(named.uids)];
  return changing(context, named, async (connection) => {
    const there = new Set<number>();
    await findingAll(connection, { ...named, uids }, async (some) => {
      const found = await existing(connection, some);
      for (const uid of found) there.add(uid);
      return found;
    });
    const value = await work(
      connection,
      uids.filter((uid) => there.has(uid)),
    );
    return { value, notFound: uids.filter((uid) => !there.has(uid)) };
  });
}
