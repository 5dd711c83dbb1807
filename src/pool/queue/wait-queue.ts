import { BrokerError } from '../../protocol/errors.js';
import type { Current } from '../../runtime/live.js';
import type { Job, Lane } from '../job.js';
import type { Loan } from '../lease/loan.js';
import type { PoolLimits } from '../pool-limits.js';
import { Waiter } from './waiter.js';

/** A place in the queue: a waiter for a loan gets a connection, a waiter for a slot gets only the slot. */
export type Place = Waiter<Loan | undefined>;

/** The waiting jobs of an account: by lane, and in each lane in order of arrival. */
export class WaitQueue {
  readonly #limits: Current<PoolLimits>;
  readonly #lanes: Record<Lane | 'slot', Place[]> = { slot: [], interactive: [], bulk: [], watch: [] };

  constructor(limits: Current<PoolLimits>) {
    this.#limits = limits;
  }

  /** The waiting jobs without watches, which wait for as long as other jobs need the connections. */
  get length(): number {
    const { slot, interactive, bulk } = this.#lanes;
    return slot.length + interactive.length + bulk.length;
  }

  /** All waiting jobs by lane, watches included. */
  get all(): Place[] {
    return Object.values(this.#lanes).flat();
  }

  /** Milliseconds that the longest waiting job has waited; `undefined` when only watches wait. */
  get longestWaitMs(): number | undefined {
    const { slot, interactive, bulk } = this.#lanes;
    const heads = [slot[0], interactive[0], bulk[0]].flatMap((place) => place?.waitedMs ?? []);
    return heads.length === 0 ? undefined : Math.max(...heads);
  }

  /** The jobs that wait for a connection in a lane, or for a slot to log in; the head of the queue first. */
  of(lane: Lane | 'slot'): readonly Place[] {
    return this.#lanes[lane];
  }

  /** @throws BrokerError POOL_EXHAUSTED when the queue is full */
  join(wants: Place['wants'], job: Job): Place {
    const { queuePerAccount } = this.#limits.now;
    const watches = job.lane === 'watch';
    if ((watches ? this.#lanes.watch.length : this.length) >= queuePerAccount) {
      const message = `${queuePerAccount} requests of this account wait for a connection already.`;
      throw new BrokerError('POOL_EXHAUSTED', message, { retryAfterMs: 1000 });
    }
    const longestMs = watches ? Number.POSITIVE_INFINITY : this.#limits.now.acquireTimeoutMs;
    const place: Place = new Waiter(wants, job, longestMs, (it) => this.leave(it));
    if (!place.settled) this.#laneOf(place).push(place);
    return place;
  }

  /** Puts a job back at the head of its lane: a job that was served with a dead connection keeps its place. */
  rejoin(place: Place): void {
    this.#laneOf(place).unshift(place);
  }

  leave(place: Place): void {
    const lane = this.#laneOf(place);
    const index = lane.indexOf(place);
    if (index >= 0) lane.splice(index, 1);
  }

  /** Rejects the jobs that wait for a connection. @param isConcerned default: all */
  rejectLoans(error: unknown, isConcerned: (job: Job) => boolean = () => true): void {
    const { interactive, bulk, watch } = this.#lanes;
    for (const place of [...interactive, ...bulk, ...watch]) if (isConcerned(place.job)) place.reject(error);
  }

  /** Rejects all jobs that wait for a slot to log in. */
  rejectSlots(error: unknown): void {
    for (const place of [...this.#lanes.slot]) place.reject(error);
  }

  rejectAll(error: unknown): void {
    this.rejectLoans(error);
    this.rejectSlots(error);
  }

  #laneOf({ wants, job }: Place): Place[] {
    return this.#lanes[wants === 'slot' ? 'slot' : (job.lane ?? 'interactive')];
  }
}
