import { createHash, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import { pause } from '../runtime/wait.js';
import type { Redis, Reply } from './redis.js';

/** Milliseconds that a broker holds a key without a sign of life: then it was stopped or killed, and another takes over. */
const LEASE_MS = 10_000;
/** Milliseconds that the store keeps a key, as the broker itself does. */
const KEPT_MS = 15 * 60_000;
/** Milliseconds until a key that another broker works on is looked at again. */
const AGAIN_MS = 100;

/**
 * Claims a key, or takes it over from a holder whose lease has run out by the store's clock; else answers what the key has.
 * KEYS: the key, its lease. ARGV: the new holder, milliseconds of the key, milliseconds of the lease.
 */
const CLAIM = `
local found = redis.call('GET', KEYS[1])
local over = found and string.sub(found, 1, 5) == 'held:' and redis.call('EXISTS', KEYS[2]) == 0
if found and not over then return found end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return over and 'taken over' or 'claimed'`;
/** Prolongs the lease of a holder. */
const RENEW = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[2], '1', 'PX', ARGV[2]) end`;
/** Leaves an outcome in place of a holder, unless another has taken the key over. */
const SETTLE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])`;
/** Gives a key back as if it had never been claimed. */
const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end`;

/** Seals what the store keeps: it holds uids and folder names, which are no business of the store. */
export interface Sealing {
  seal(text: string): Promise<string>;
  /** @returns undefined where these keys did not seal it */
  unseal(sealed: string): Promise<string | undefined>;
}

/** What the work of a key came to. */
export interface KeyOutcome {
  json: string;
  /** Whether it counts for later requests; a failure without an effect does not. */
  counts: boolean;
}

/** Idempotency keys that several brokers know, so that a write has its effect once, whichever broker is asked again. */
export class SharedKeys {
  readonly #redis: Redis;
  readonly #sealing: Sealing;
  readonly #leaseMs: number;

  constructor(redis: Redis, sealing: Sealing, leaseMs = LEASE_MS) {
    this.#leaseMs = leaseMs;
    this.#redis = redis;
    this.#sealing = sealing;
  }

  /**
   * Does the work unless another broker did it or does it.
   * @param work with `takenOver` where a broker that is gone may have done it in part or whole
   * @param signal ends the wait for another broker
   * @returns the outcome of another broker; undefined where the work was done here, or the store cannot be reached
   */
  async once(
    account: string,
    key: string,
    signal: AbortSignal,
    work: (takenOver: boolean) => Promise<KeyOutcome>,
  ): Promise<string | undefined> {
    // The braces keep both keys of one name on one node of a Redis cluster.
    const hash = createHash('sha256').update(`${account}\n${key}`).digest('base64url');
    const keys = [`imap-broker:key:{${hash}}`, `imap-broker:key:{${hash}}:lease`];
    const holder = `held:${randomBytes(12).toString('base64url')}`;
    for (;;) {
      const found = await this.#run(CLAIM, keys, holder, String(KEPT_MS), String(this.#leaseMs));
      if (found === undefined || found === 'claimed' || found === 'taken over') {
        await this.#workOn(keys, holder, () => work(found === 'taken over'));
        return undefined;
      }
      if (typeof found === 'string' && !found.startsWith('held:')) return await this.#opened(found);
      await pause(AGAIN_MS, signal);
      signal.throwIfAborted();
    }
  }

  /** Works while it holds a key, and leaves the outcome. */
  async #workOn(keys: readonly string[], holder: string, work: () => Promise<KeyOutcome>): Promise<void> {
    const renew = setInterval(() => void this.#run(RENEW, keys, holder, String(this.#leaseMs)), this.#leaseMs / 4);
    try {
      const { json, counts } = await work();
      if (counts) await this.#run(SETTLE, keys, holder, await this.#sealing.seal(json), String(KEPT_MS));
      else await this.#run(RELEASE, keys, holder);
    } finally {
      clearInterval(renew);
    }
  }

  /** @throws BrokerError CONNECTION_LOST, where the outcome was sealed with keys that this broker does not have */
  async #opened(sealed: string): Promise<string> {
    const json = await this.#sealing.unseal(sealed);
    if (json !== undefined) return json;
    const message = 'Another broker has done this request, and this one does not have the keys to read the outcome.';
    throw new BrokerError('CONNECTION_LOST', message, { executed: 'maybe' });
  }

  /** @returns undefined where the store cannot be reached */
  async #run(script: string, keys: readonly string[], ...args: readonly string[]): Promise<Reply | undefined> {
    try {
      return await this.#redis.send(['EVAL', script, String(keys.length), ...keys, ...args]);
    } catch {
      return undefined;
    }
  }
}
