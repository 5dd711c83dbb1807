import type { ImapConnection } from '../connection/connection.js';
import { atom, numberOf, nzNumberOf, sequence } from '../wire/tokens.js';
import { unlessRefused } from './mailbox-status.js';

/** The messages of a folder at one time, which its next uid and their number name: no uid is ever used again. */
export interface Membership {
  uidNext: number | null;
  messages: number;
}

/** What the messages of a folder had in all at some time, in bytes. */
export interface KnownSize extends Membership {
  bytes: number;
}

/** Most messages whose sizes are fetched for a sum. */
const MOST_MESSAGES = 200_000;
/** Sizes in one FETCH. */
const BATCH = 5000;

/**
 * Bytes of all messages in the selected folder by RFC822.SIZE, for servers without STATUS=SIZE. From an earlier sum only
 * newer messages are asked for, unless a message is gone.
 * @param now what the server has just told of the folder
 * @returns undefined above 200,000 messages, and where the server does not tell all sizes
 * @throws BrokerError CONNECTION_LOST
 */
export async function sumOfSizes(
  connection: ImapConnection,
  now: Membership,
  known: KnownSize | undefined,
): Promise<number | undefined> {
  const { uidNext, messages } = now;
  if (messages === 0) return 0;
  if (messages > MOST_MESSAGES) return undefined;
  if (known?.uidNext && uidNext && known.messages <= messages) {
    if (known.uidNext === uidNext && known.messages === messages) return known.bytes;
    const newer = known.uidNext < uidNext ? await sizesSince(connection, known, { uidNext, messages }) : undefined;
    if (newer !== undefined) return known.bytes + newer;
  }
  let sum = 0;
  for (let from = 1; from <= messages; from += BATCH) {
    const to = Math.min(messages, from + BATCH - 1);
    const some = await sizesOf(connection, 'FETCH', `${from}:${to}`, to - from + 1);
    if (some === undefined) return undefined;
    sum += some;
  }
  return Number.isSafeInteger(sum) ? sum : undefined;
}

/** The sum of the sizes of messages that came since; undefined unless they are as many more as the folder has. */
function sizesSince(
  connection: ImapConnection,
  known: KnownSize,
  { uidNext, messages }: { uidNext: number; messages: number },
): Promise<number | undefined> {
  return sizesOf(connection, 'UID FETCH', `${known.uidNext}:${uidNext - 1}`, messages - known.messages);
}

/** The sum of the sizes of a set, if the server tells exactly so many. */
async function sizesOf(
  connection: ImapConnection,
  command: 'FETCH' | 'UID FETCH',
  set: string,
  expected: number,
): Promise<number | undefined> {
  const sizes = new Map<number, number>();
  const byUid = command === 'UID FETCH';
  const items = byUid ? [atom('UID'), atom('RFC822.SIZE')] : [atom('RFC822.SIZE')];
  const answered = await unlessRefused(
    connection.exec('read', command, [sequence(set), items], {
      FETCH: ({ number, items: told }) => {
        const size = numberOf(told.get('RFC822.SIZE'));
        const key = byUid ? nzNumberOf(told.get('UID')) : number;
        // One beyond what is expected is enough to see that there are more.
        if (size !== undefined && key !== undefined && sizes.size <= expected) sizes.set(key, size);
      },
    }),
  );
  if (!answered || sizes.size !== expected) return undefined;
  let sum = 0;
  for (const size of sizes.values()) sum += size;
  return sum;
}
