import type { Criteria, Thread } from '../protocol/methods/message-read.js';
import type { ImapConnection } from './connection.js';
import { FETCH_BATCH, fetchSummaries } from './fetch.js';
import { bytesOf, fetchRows } from './fetch-rows.js';
import { toThreadMessage } from './mime/thread-message.js';
import { buildThreads, type ThreadMessage } from './mime/thread-references.js';
import { atom, type ImapAttribute, type ImapToken, numberOf, rawExec } from './raw-exec.js';
import { compileCriteria, searchUids } from './search.js';
import { requireFew } from './sort.js';

/** Levels of replies that an answer has; deeper replies stand side by side on the last one. */
const MAX_DEPTH = 100;

const references: ImapToken = {
  type: 'ATOM',
  value: 'BODY.PEEK',
  section: [atom('HEADER.FIELDS'), [atom('REFERENCES')]],
};

/** Conversations of the hits, the one with the highest uid first: by the server where it can, else by the broker. */
export async function threads(
  connection: ImapConnection,
  criteria: Criteria,
): Promise<{ threads: Thread[]; threadedBy: 'server' | 'broker' }> {
  const onServer = connection.has('THREAD=REFERENCES');
  const found = onServer ? await threadOnServer(connection, criteria) : await threadInBroker(connection, criteria);
  const ordered = found
    .map((thread) => ({ thread: flatten(thread), newest: newestOf(thread) }))
    .sort((a, b) => b.newest - a.newest);
  return { threads: ordered.map(({ thread }) => thread), threadedBy: onServer ? 'server' : 'broker' };
}

async function threadOnServer(connection: ImapConnection, criteria: Criteria): Promise<Thread[]> {
  const found: Thread[] = [];
  const args = [atom('REFERENCES'), atom('UTF-8'), ...compileCriteria(criteria)];
  await rawExec(connection, 'read', 'UID THREAD', args, {
    THREAD: ({ attributes }) => {
      for (const list of attributes) if (Array.isArray(list)) found.push(...readThread(list));
    },
  });
  return found;
}

/** (1 2 (3)(4)): each number is the reply to the one before it, each list a reply to the last number. */
function readThread(list: readonly ImapAttribute[]): Thread[] {
  const root: Thread = { uid: null, replies: [] };
  let last = root;
  for (const member of list) {
    if (Array.isArray(member)) {
      last.replies.push(...readThread(member));
    } else {
      const reply: Thread = { uid: numberOf(member) ?? null, replies: [] };
      last.replies.push(reply);
      last = reply;
    }
  }
  return root.replies.length > 1 ? [root] : root.replies;
}

async function threadInBroker(connection: ImapConnection, criteria: Criteria): Promise<Thread[]> {
  const uids = await searchUids(connection, criteria);
  requireFew(uids.length);
  const messages: ThreadMessage[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const batch = uids.slice(from, from + FETCH_BATCH);
    const summaries = await fetchSummaries(connection, batch, ['envelope', 'internalDate']);
    const rows = await fetchRows(connection, batch.join(','), [references], 'uid');
    const headers = new Map(rows.map(({ uid, items }) => [uid, bytesOf(items.get('BODY[HEADER.FIELDS]'))]));
    for (const summary of summaries) {
      messages.push(toThreadMessage(summary, headers.get(summary.uid) ?? Buffer.alloc(0)));
    }
  }
  return buildThreads(messages);
}

function newestOf(thread: Thread): number {
  let newest = 0;
  const open = [thread];
  for (let next = open.pop(); next; next = open.pop()) {
    newest = Math.max(newest, next.uid ?? 0);
    open.push(...next.replies);
  }
  return newest;
}

/** A chain of a thousand replies would be an answer that no JSON reader takes. */
function flatten(root: Thread): Thread {
  const copy: Thread = { uid: root.uid, replies: [] };
  const open = [{ from: root, to: copy, depth: 1 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { from, to, depth } = next;
    for (const reply of from.replies) {
      const copied: Thread = { uid: reply.uid, replies: [] };
      to.replies.push(copied);
      open.push({ from: reply, to: depth < MAX_DEPTH ? copied : to, depth: Math.min(depth + 1, MAX_DEPTH) });
    }
  }
  return copy;
}
