import type { Criteria } from '../../../protocol/criteria.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { Thread } from '../../../protocol/methods/message-threads.js';
import { sortsEqualNewestFirst } from '../../connection/capabilities.js';
import type { ImapConnection } from '../../connection/connection.js';
import { toEnvelope } from '../../mime/envelope.js';
import { toThreadMessage } from '../../mime/threading/thread-message.js';
import type { ThreadMessage } from '../../mime/threading/thread-references.js';
import { tooLarge } from '../../wire/errors.js';
import { atom, bytesOf, type ImapArgument, textOf } from '../../wire/tokens.js';
import { FETCH_BATCH } from '../fetch.js';
import { type FetchedRow, fetchRows, peekHeaders, survivingExpunge } from '../fetch-rows.js';
import { toInternalDate } from '../rows/row-items.js';
import { withCharset } from '../search/charset.js';
import { Hits, keysFor } from '../search/search.js';
import { isTooMuch, MOST_THREADED, readThreads } from './thread-response.js';

/** Batches of messages that are asked for in one packet: one round trip for all. */
const TOGETHER = 5;

/** Conversations of the hits of a search, and the hits by their date, oldest first. */
export interface Threading {
  threads: Thread[];
  byDate: readonly number[];
}

/** Whether the server threads and sorts (RFC 5256). One that cannot sort leaves threading to the broker as well. */
export function threadsOnServer(connection: ImapConnection): boolean {
  return connection.has('THREAD=REFERENCES') && connection.has('SORT');
}

/**
 * UID THREAD REFERENCES with UID SORT (DATE), in one packet unless the criteria have text beyond ASCII.
 * @throws BrokerError TOO_LARGE above 200,000 messages; what commands throw
 */
export async function threadOnServer(connection: ImapConnection, criteria: Criteria): Promise<Threading> {
  return withCharset(connection, await keysFor(connection, criteria), (charset, keys) =>
    threadBy(connection, charset, keys),
  );
}

async function threadBy(
  connection: ImapConnection,
  charset: string,
  keys: readonly ImapArgument[],
): Promise<Threading> {
  const responses: string[] = [];
  const dated = new Hits(connection);
  const thread = () =>
    connection.exec('read', 'UID THREAD', [atom('REFERENCES'), atom(charset), ...keys], {
      THREAD: ({ raw }) => {
        if (isTooMuch(raw)) connection.giveUp(tooLarge('messages of a THREAD response', MOST_THREADED));
        else responses.push(raw);
      },
    });
  const turned = sortsEqualNewestFirst(connection);
  const order = turned ? [atom('REVERSE'), atom('DATE')] : [atom('DATE')];
  const sort = () =>
    connection.exec('read', 'UID SORT', [order, atom(charset), ...keys], {
      SORT: ({ numbers }) => dated.add(numbers),
    });
  if (hasLiteral(keys)) {
    await thread();
    await sort();
  } else {
    await Promise.all(connection.together(() => [thread(), sort()]));
  }
  const threads: Thread[] = [];
  for (const raw of responses) await readThreads(raw, threads);
  return { threads, byDate: turned ? dated.uids.reverse() : dated.uids };
}

/** A command with a literal waits for the server's continuation, so that no other command may follow in its packet. */
function hasLiteral(keys: readonly ImapArgument[]): boolean {
  return keys.some((key) =>
    Array.isArray(key) ? hasLiteral(key) : typeof key === 'object' && 'type' in key && key.type === 'LITERAL',
  );
}

/**
 * Fetches what threading needs of messages; those that are gone are left out. One round trip for 1,000 messages.
 * @param take gets each message as soon as it has come
 */
export async function fetchThreadMessages(
  connection: ImapConnection,
  uids: readonly number[],
  take: (message: ThreadMessage) => void,
): Promise<void> {
  const items = [atom('ENVELOPE'), atom('INTERNALDATE'), peekHeaders(['References'])];
  const reduce = (row: FetchedRow) => take(threadMessageOf(row));
  const most = TOGETHER * FETCH_BATCH;
  for (let from = 0; from < uids.length; from += most) {
    const some = uids.slice(from, from + most);
    const batches = Array.from({ length: Math.ceil(some.length / FETCH_BATCH) }, (_, index) =>
      some.slice(index * FETCH_BATCH, (index + 1) * FETCH_BATCH).join(','),
    );
    await survivingExpunge(connection, () =>
      Promise.all(
        connection.together(() => batches.map((set) => fetchRows(connection, set, items, 'uid', { reduce }))),
      ),
    );
  }
}

function threadMessageOf({ uid, items }: FetchedRow): ThreadMessage {
  const envelope = toEnvelope(items.get('ENVELOPE'));
  const internalDate = toInternalDate(textOf(items.get('INTERNALDATE')));
  const headers = bytesOf(items.get('BODY[HEADER.FIELDS]')) ?? Buffer.alloc(0);
  return toThreadMessage({ uid, envelope, internalDate }, headers);
}

/** @throws BrokerError TOO_LARGE where the broker would have to thread too many messages */
export function requireThreadable(hits: number): void {
  if (hits <= MOST_THREADED) return;
  throw new BrokerError('TOO_LARGE', `filter: ${hits} hits, but conversations are made of ${MOST_THREADED} at most.`, {
    field: 'filter',
  });
}
