import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Listeners } from '../runtime/listeners.js';
import type { Redis, Reply } from './redis.js';

/** The end of a session, or of all sessions of a user or tenant that were opened until `at` (milliseconds since 1970). */
const end = z.object({
  id: z.string().optional(),
  tenant: z.string(),
  user: z.string().optional(),
  at: z.number(),
  /** When all sessions that it concerns have ended anyway. */
  until: z.number(),
});
export type End = z.infer<typeof end>;
/** An end in the store, with the broker that brought it. */
const stored = end.extend({ by: z.string() });

const STREAM = 'imap-broker:ends';
const KEY = 'imap-broker:end:';
/** Ends that the stream keeps for brokers that were away; a broker that was away for longer looks each token up anew. */
const MOST_STREAMED = 10_000;
/** Ends that wait to be brought while the store is down. */
const MOST_WAITING = 100_000;
const READ_BLOCK_MS = 2_000;
/** Milliseconds until the stream is read again after a failure. */
const READ_AGAIN_MS = 500;

/** What several brokers know together of ended sessions. */
export class SharedEnds {
  /** Ends of other brokers, as they come. */
  readonly ended = new Listeners<End>();
  /** Ends may have been missed: what is remembered of tokens has to be looked up anew. */
  readonly gaps = new Listeners<void>();
  readonly #broker = randomBytes(9).toString('base64url');
  readonly #redis: Redis;
  readonly #reader: Redis;
  /** Ends that the store does not have yet, by key. */
  readonly #waiting = new Map<string, End>();
  #lastId: string | undefined;
  #closed = false;
  #reading = false;

  /**
   * @param redis for commands
   * @param reader for reading the stream, which blocks a connection
   */
  constructor(redis: Redis, reader: Redis) {
    this.#redis = redis;
    this.#reader = reader;
    redis.ups.add((up) => {
      if (up) void this.#bringWaiting();
    });
    reader.ups.add((up) => {
      if (up) void this.#read();
    });
  }

  /** Tells all brokers. @returns false where the store cannot be reached: it is told later */
  async publish(ended: End): Promise<boolean> {
    try {
      await this.#bring(ended);
      return true;
    } catch {
      const key = keyOf(ended);
      if (this.#waiting.size < MOST_WAITING || this.#waiting.has(key)) this.#waiting.set(key, ended);
      return false;
    }
  }

  /** The ends of other brokers that concern a session; none where the store cannot be reached. */
  async of({ id, tenant, user }: { id: string; tenant: string; user: string }): Promise<End[]> {
    const keys = [{ id, tenant }, { tenant, user }, { tenant }].map(keyOf);
    try {
      const replies = await this.#redis.send(['MGET', ...keys]);
      return Array.isArray(replies) ? replies.flatMap((reply) => this.#foreign(reply) ?? []) : [];
    } catch {
      return [];
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #bring(ended: End): Promise<void> {
    const json = JSON.stringify({ ...ended, by: this.#broker });
    const expires = String(Math.max(1, Math.ceil((ended.until - Date.now()) / 1000)));
    await Promise.all([
      this.#redis.send(['SET', keyOf(ended), json, 'EX', expires]),
      this.#redis.send(['XADD', STREAM, 'MAXLEN', '~', String(MOST_STREAMED), '*', 'end', json]),
    ]);
  }

  async #bringWaiting(): Promise<void> {
    for (const [key, ended] of this.#waiting) {
      try {
        await this.#bring(ended);
        this.#waiting.delete(key);
      } catch {
        return;
      }
    }
  }

  /** Reads the stream for as long as there is a connection. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    let placed = false;
    while (this.#reader.up && !this.#closed) {
      try {
        if (!placed) await this.#place();
        placed = true;
        const args = [
          'XREAD',
          'COUNT',
          '100',
          'BLOCK',
          String(READ_BLOCK_MS),
          'STREAMS',
          STREAM,
          this.#lastId ?? '0-0',
        ];
        this.#take(await this.#reader.send(args, 2 * READ_BLOCK_MS));
      } catch {
        placed = false;
        await pause(READ_AGAIN_MS, undefined, { ref: false });
      }
    }
    this.#reading = false;
  }

  /** Finds where to read on. */
  async #place(): Promise<void> {
    const newest = idOf(await this.#reader.send(['XREVRANGE', STREAM, '+', '-', 'COUNT', '1']));
    const oldest = idOf(await this.#reader.send(['XRANGE', STREAM, '-', '+', 'COUNT', '1']));
    const from = this.#lastId;
    const isOther = from !== undefined && isBefore(newest, from);
    // Tokens were used before the first time, the stream went on without this broker for too long, or is another one.
    if (from === undefined || isOther || isBefore(from, oldest)) this.gaps.tell();
    this.#lastId = from === undefined || isOther ? newest : from;
  }

  #take(reply: Reply): void {
    if (!Array.isArray(reply)) return;
    for (const [, entries] of reply as [string, [string, string[]][]][]) {
      for (const [id, [, json]] of entries) {
        this.#lastId = id;
        const ended = this.#foreign(json ?? null);
        if (ended) this.ended.tell(ended);
      }
    }
  }

  /** The end in a value of the store; undefined for this broker's own, and for what other programs wrote there. */
  #foreign(value: Reply): End | undefined {
    if (typeof value !== 'string') return undefined;
    try {
      const { by, ...ended } = stored.parse(JSON.parse(value));
      return by === this.#broker ? undefined : ended;
    } catch {
      return undefined;
    }
  }
}

function keyOf({ id, tenant, user }: { id?: string | undefined; tenant: string; user?: string | undefined }): string {
  if (id !== undefined) return `${KEY}session:${id}`;
  return `${KEY}${user === undefined ? 'tenant' : 'user'}:${JSON.stringify([tenant, user])}`;
}

/** The id of the only entry of a range; `0-0` where there is none. */
function idOf(reply: Reply): string {
  const [[id] = []] = (Array.isArray(reply) ? reply : []) as [string][];
  return id ?? '0-0';
}

function isBefore(one: string, other: string): boolean {
  const [a = 0, b = 0] = one.split('-').map(Number);
  const [c = 0, d = 0] = other.split('-').map(Number);
  return a < c || (a === c && b < d);
}
