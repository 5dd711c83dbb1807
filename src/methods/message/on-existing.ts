import { staysInReplaced } from '../../imap/connection/capabilities.js';
import type { ImapConnection } from '../../imap/connection/connection.js';
import { explainLoss } from '../../imap/mailboxes/mailboxes.js';
import { existingUids } from '../../imap/messages/store.js';
import type { SessionContext } from '../context.js';
import { write } from '../support/writing.js';

interface Folder {
  mailbox: string;
  uidValidity: number;
  /** The folder that messages are put into. */
  destination?: string;
  /** Which other folders change with the messages: `all` where they may be any. */
  elsewhere?: 'all';
}

export interface Named extends Folder {
  uids: readonly number[];
}

/** Changes messages of a folder, and makes sure that it is the folder that the caller knows, before and after. */
export function changing<T>(
  context: SessionContext,
  { mailbox, uidValidity, destination, elsewhere }: Folder,
  work: (connection: ImapConnection) => Promise<T>,
): Promise<T> {
  const others = elsewhere ?? (destination === undefined ? [] : [destination]);
  return write(context, { selected: mailbox, others }, async (connection) => {
    await connection.select(mailbox, { uidValidity, fresh: staysInReplaced(connection) });
    const value = await work(connection).catch((failure: unknown) => explainLoss(connection, mailbox, failure));
    // A server that found trouble meanwhile may have changed what was there before: then this says STATE_CHANGED.
    await connection.select(mailbox, { uidValidity });
    return value;
  });
}

/**
 * Does something to messages by uid, and once more to those that were not found: the session may not have been told of
 * them yet.
 * @param attempt answers the uids that it found
 */
export async function findingAll(
  connection: ImapConnection,
  { mailbox, uidValidity, uids }: Named,
  attempt: (uids: readonly number[]) => Promise<Iterable<number>>,
): Promise<void> {
  // The session was told of all messages below this uid.
  const heard = connection.selected?.uidNext ?? 0;
  const found = new Set(await attempt(uids));
  const unheard = uids.filter((uid) => uid >= heard && !found.has(uid));
  if (unheard.length === 0) return;
  await connection.select(mailbox, { fresh: true, uidValidity });
  await attempt(unheard);
}

/** Which of the uids are there: known by a view that hears all that the session is told, else found by a search. */
export async function existingOf(context: SessionContext, connection: ImapConnection, named: Named): Promise<number[]> {
  const unknown = unknownTo(context, connection, named);
  if (unknown.length === 0) return [...named.uids];
  const there = new Set<number>();
  await findingAll(connection, { ...named, uids: unknown }, async (some) => {
    const found = await existingUids(connection, some);
    for (const uid of found) there.add(uid);
    return found;
  });
  const absent = new Set(unknown.filter((uid) => !there.has(uid)));
  return named.uids.filter((uid) => !absent.has(uid));
}

/** The uids of which only the server can say whether they are there. */
export function unknownTo(
  { services, account }: SessionContext,
  connection: ImapConnection,
  { mailbox, uids }: Pick<Named, 'mailbox' | 'uids'>,
): number[] {
  const view = services.views.followedBy(connection, account.key, mailbox);
  return uids.filter((uid) => view?.members.flagsOf(uid) === undefined);
}
