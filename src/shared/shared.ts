import type { Log } from '../runtime/log/log.js';
import { SharedEnds } from './ends.js';
import { type Sealing, SharedKeys } from './keys.js';
import { Redis, type RedisOptions } from './redis.js';

/** What several brokers know together, in Redis or Valkey. A broker that cannot reach the store goes on with what it knows. */
export class Shared {
  readonly ends: SharedEnds;
  readonly keys: SharedKeys;
  readonly #redis: Redis;
  readonly #reader: Redis;

  constructor(options: RedisOptions, sealing: Sealing, log: Log) {
    this.#redis = new Redis(options);
    this.#reader = new Redis(options);
    this.ends = new SharedEnds(this.#redis, this.#reader);
    this.keys = new SharedKeys(this.#redis, sealing);
    this.#redis.ups.add((up) => {
      if (up) log.info('the shared store is reached');
      else {
        const { problem } = this.#redis;
        log.warn({ problem }, 'the shared store cannot be reached; what ends now is known to other brokers later');
      }
    });
  }

  /** Whether the store can be reached. */
  get up(): boolean {
    return this.#redis.up;
  }

  open(): void {
    this.#redis.open();
    this.#reader.open();
  }

  close(): void {
    this.ends.close();
    this.#redis.close();
    this.#reader.close();
  }
}
