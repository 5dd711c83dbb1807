import type { Criteria } from '../../protocol/criteria.js';
import type { Thread } from '../../protocol/methods/message-threads.js';
import type { ImapConnection } from '../connection/connection.js';
import { toThreadMessage } from '../mime/thread-message.js';
import { buildThreads, type ThreadMessage } from '../mime/thread-references.js';
import { tooLarge } from '../wire/errors.js';
import { atom, bytesOf, isNzNumber } from '../wire/tokens.js';
import { breathe } from '../wire/turn-budget.js';
import { FETCH_BATCH, fetchSummaries } from './fetch.js';
import { fetchRows, peekHeaders } from './fetch-rows.js';
import { compileCriteria, searchUids } from './search.js';
import { requireFew } from './sort.js';

/** Most levels of replies in an answer; deeper replies are siblings on the last level. */
const MAX_DEPTH = 100;
/** Messages after which a turn may end. */
const PACE = 500;

/** The page of the sorted conversations that is wanted. */
export interface ThreadPage {
  offset: number;
  limit: number;
}

/** Conversations of the hits, highest uid first: threaded by the server where it can, else by the broker. */
export async function threads(
  connection: ImapConnection,
  criteria: Criteria,
  { offset, limit }: ThreadPage,
): Promise<{ threads: Thread[]; total: number; threadedBy: 'server' | 'broker' }> {
  const onServer = connection.has('THREAD=REFERENCES');
  const found = onServer ? await threadOnServer(connection, criteria) : await threadInBroker(connection, criteria);
  const dated: { thread: Thread; newest: number }[] = [];
  for (const thread of found) dated.push({ thread, newest: await newestOf(thread) });
  dated.sort((a, b) => b.newest - a.newest);
  const page: Thread[] = [];
  for (const { thread } of dated.slice(offset, offset + limit)) page.push(await flatten(thread));
  return { threads: page, total: found.length, threadedBy: onServer ? 'server' : 'broker' };
}

async function threadOnServer(connection: ImapConnection, criteria: Criteria): Promise<Thread[]> {
  const found: Thread[] = [];
  const responses: string[] = [];
  const args = [atom('REFERENCES'), atom('UTF-8'), ...compileCriteria(criteria)];
  await connection.exec('read', 'UID THREAD', args, {
    THREAD: ({ raw }) => {
      if (isTooMuch(raw)) connection.giveUp(tooLarge('messages of a THREAD response', MOST_THREADED));
      else responses.push(raw);
    },
  });
  for (const raw of responses) await readThreads(raw, found);
  return found;
}

/** Most messages and lists in one THREAD response. */
const MOST_THREADED = 200_000;
/** Characters after which a turn may end. */
const STEP = 16_384;
const [OPEN, CLOSE, ZERO, NINE] = [0x28, 0x29, 0x30, 0x39];

/**
 * Reads (1 2 (3)(4)): each number is a reply to the number before it, each list a reply to the last number before it.
 * Without recursion, because a server may nest lists to any depth; and in turns, because there may be very many.
 */
export async function readThreads(text: string, into: Thread[]): Promise<void> {
  // The message that each open list replies to; for the outermost list, a new root.
  const open: Thread[] = [];
  let last: Thread | undefined;
  let pause = STEP;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN) {
      last ??= { uid: null, replies: [] };
      open.push(last);
    } else if (code === CLOSE) {
      last = open.pop();
      if (open.length > 0 || !last) continue;
      // A root without a message is replaced by its only reply.
      into.push(...(last.replies.length > 1 ? [last] : last.replies));
      last = undefined;
    } else if (last && code >= ZERO && code <= NINE) {
      let number = 0;
      for (let digit = code; digit >= ZERO && digit <= NINE; at += 1, digit = text.charCodeAt(at)) {
        number = number * 10 + digit - ZERO;
      }
      at -= 1;
      const reply: Thread = { uid: isNzNumber(number) ? number : null, replies: [] };
      last.replies.push(reply);
      last = reply;
    }
    if (at >= pause) {
      pause = at + STEP;
      await breathe();
    }
  }
}

/** Whether a response has too many members, without building them: counts numbers and opening parentheses. */
function isTooMuch(text: string): boolean {
  let count = 0;
  let inNumber = false;
  for (let at = 0; at < text.length && count <= MOST_THREADED; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code >= ZERO && code <= NINE;
    if (code === OPEN || (digit && !inNumber)) count += 1;
    inNumber = digit;
  }
  return count > MOST_THREADED;
}

async function threadInBroker(connection: ImapConnection, criteria: Criteria): Promise<Thread[]> {
  const uids = await searchUids(connection, criteria);
  requireFew(uids.length);
  const messages: ThreadMessage[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const batch = uids.slice(from, from + FETCH_BATCH);
    const summaries = await fetchSummaries(connection, batch, ['envelope', 'internalDate']);
    const rows = await fetchRows(connection, batch.join(','), [peekHeaders(['References'])], 'uid');
    const headers = new Map(rows.map(({ uid, items }) => [uid, bytesOf(items.get('BODY[HEADER.FIELDS]'))]));
    for (const summary of summaries) {
      messages.push(toThreadMessage(summary, headers.get(summary.uid) ?? Buffer.alloc(0)));
    }
  }
  return buildThreads(messages);
}

async function newestOf(thread: Thread): Promise<number> {
  let newest = 0;
  const open = [thread];
  for (let seen = 0, next = open.pop(); next; next = open.pop(), seen += 1) {
    newest = Math.max(newest, next.uid ?? 0);
    for (const reply of next.replies) open.push(reply);
    if (seen % PACE === 0) await breathe();
  }
  return newest;
}

/** Limits the depth: JSON parsers fail on a chain of a thousand replies. */
async function flatten(root: Thread): Promise<Thread> {
  const copy: Thread = { uid: root.uid, replies: [] };
  const open = [{ from: root, to: copy, depth: 1 }];
  for (let seen = 0, next = open.pop(); next; next = open.pop(), seen += 1) {
    const { from, to, depth } = next;
    for (const reply of from.replies) {
      const copied: Thread = { uid: reply.uid, replies: [] };
      to.replies.push(copied);
      open.push({ from: reply, to: depth < MAX_DEPTH ? copied : to, depth: Math.min(depth + 1, MAX_DEPTH) });
    }
    if (seen % PACE === 0) await breathe();
  }
  return copy;
}
