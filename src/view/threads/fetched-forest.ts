import type { ImapConnection } from '../../imap/connection/connection.js';
import { searchUids } from '../../imap/messages/search/search.js';
import {
  fetchThreadMessages,
  requireThreadable,
  threadOnServer,
  threadsOnServer,
} from '../../imap/messages/threads/thread.js';
import { buildThreads } from '../../imap/mime/threading/thread-references.js';
import { sortInTurns } from '../../imap/wire/sort-in-turns.js';
import type { Criteria } from '../../protocol/criteria.js';
import type { MailboxView } from '../mailbox-view.js';
import { type Forest, packForest, withHits } from './forest.js';

/** Which conversations are wanted. */
export interface Wanted {
  filter: Criteria;
  /** A text for the filter: filters with the same text find the same messages. */
  filterKey: string;
  /** Whether a conversation with a hit is wanted with all of its messages. */
  whole: boolean;
}

/** All messages of a folder: whether a message is among them follows from no flag. */
const everything: Wanted = { filter: {}, filterKey: '{}', whole: false };

function isEverything({ filterKey }: Wanted): boolean {
  return filterKey === everything.filterKey;
}

function keyOf(wanted: Wanted): string {
  return isEverything(wanted) ? wanted.filterKey : `${wanted.whole}${wanted.filterKey}`;
}

/** The conversations as they were found before, unless something has changed since. */
export function knownForest(view: MailboxView, wanted: Wanted): Forest | undefined {
  return view.conversations.recall(view, keyOf(wanted));
}

/**
 * Finds conversations, and keeps them in the view unless something changes meanwhile: {@link knownForest}.
 * @throws BrokerError TOO_LARGE above 200,000 messages; what commands throw
 */
export async function findForest(view: MailboxView, connection: ImapConnection, wanted: Wanted): Promise<void> {
  const { conversations } = view;
  const basis = conversations.basis(view, !isEverything(wanted));
  if (!wanted.whole || isEverything(wanted)) {
    const forest = await threaded(view, connection, wanted);
    conversations.keep(view, keyOf(wanted), basis, forest);
    return;
  }
  if (!knownForest(view, everything)) await findForest(view, connection, everything);
  const all = knownForest(view, everything);
  const hits = await searchUids(connection, wanted.filter);
  if (all) conversations.keep(view, keyOf(wanted), basis, await withHits(all, hits));
}

async function threaded(view: MailboxView, connection: ImapConnection, wanted: Wanted): Promise<Forest> {
  view.conversations.by = threadsOnServer(connection) ? 'server' : 'broker';
  if (threadsOnServer(connection)) return packForest(await threadOnServer(connection, wanted.filter));
  const { nodes } = view.conversations;
  const uids = isEverything(wanted) ? await allUids(view, connection) : await searchUids(connection, wanted.filter);
  requireThreadable(uids.length);
  if (isEverything(wanted)) await nodes.keep(uids);
  const missing = uids.filter((uid) => !nodes.has(uid));
  await fetchThreadMessages(connection, missing, (message) => nodes.add(message));
  const messages = await nodes.messages(uids);
  const byDate = await sortInTurns(messages, (a, b) => a.date - b.date || a.uid - b.uid);
  return packForest({ threads: await buildThreads(messages), byDate: byDate.map(({ uid }) => uid) });
}

/** The uids of all messages, ascending: from memory where all are known. */
async function allUids({ members }: MailboxView, connection: ImapConnection): Promise<readonly number[]> {
  return members.base === 0 && members.unknownOnTop === 0 ? [...members.uids] : searchUids(connection, {});
}
