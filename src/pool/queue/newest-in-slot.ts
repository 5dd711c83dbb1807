import { BrokerError } from '../../protocol/errors.js';
import type { Loan } from '../lease/loan.js';
import type { Place } from './wait-queue.js';

type Cancel = (error: BrokerError) => void;

/** Of the requests of one slot only the newest waits: a newer request ends the older one, unless that has begun. */
export class NewestInSlot {
  readonly #waiting = new Map<string, Cancel>();

  /** From now on this request waits in the slot; the request that waited there fails with SUPERSEDED. */
  take(slot: string, cancel: Cancel): void {
    const older = this.#waiting.get(slot);
    this.#waiting.set(slot, cancel);
    older?.(new BrokerError('SUPERSEDED', 'A newer request of this session has the same slot.'));
  }

  /** The request does not wait any more. */
  leave(slot: string, cancel: Cancel): void {
    if (this.#waiting.get(slot) === cancel) this.#waiting.delete(slot);
  }

  /** Joins the queue after the older request of the slot has left it, and waits there. */
  async wait(slot: string, join: () => Place): Promise<Loan | undefined> {
    let place: Place | undefined;
    const cancel: Cancel = (error) => place?.reject(error);
    this.take(slot, cancel);
    try {
      place = join();
      return await place.promise;
    } finally {
      this.leave(slot, cancel);
    }
  }
}
