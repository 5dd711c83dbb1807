import type { ImapConnection } from '../imap/connection.js';
import { BrokerError } from '../protocol/errors.js';
import type { Job } from './job.js';
import type { PoolLimits } from './slots.js';
import { Waiter } from './waiter.js';

/** A place in the queue: what waits for a loan gets a connection, what waits for a slot gets nothing but the slot. */
export type Place = Waiter<ImapConnection | undefined>;

/** Jobs of an account that wait, in their order. */
export class WaitQueue {
  readonly #limits: PoolLimits;
  readonly #places: Place[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#places.length;
  }

  get first(): Place | undefined {
    return this.#places[0];
  }

  /** Those who wait for a connection. */
  get loans(): Place[] {
    return this.#places.filter(({ wants }) => wants === 'loan');
  }

  /** @throws BrokerError POOL_EXHAUSTED when it is full */
  join(wants: Place['wants'], job: Job): Place {
    const { queuePerAccount, acquireTimeoutMs } = this.#limits;
    if (this.#places.length >= queuePerAccount) {
      const message = `${queuePerAccount} requests of this account wait for a connection already.`;
      throw new BrokerError('POOL_EXHAUSTED', message, { retryAfterMs: 1000 });
    }
    const place: Place = new Waiter(wants, job, acquireTimeoutMs, (it) => this.leave(it));
    if (!place.settled) this.#places.push(place);
    return place;
  }

  /** Back to the head: what was served with a dead connection has lost nothing. */
  rejoin(place: Place): void {
    this.#places.unshift(place);
  }

  leave(place: Place): void {
    const index = this.#places.indexOf(place);
    if (index >= 0) this.#places.splice(index, 1);
  }

  rejectAll(error: unknown): void {
    for (const place of [...this.#places]) place.reject(error);
  }
}
