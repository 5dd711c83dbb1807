import { BrokerError } from '../../protocol/errors.js';
import type { Loan } from './loan.js';
import type { Place } from './wait-queue.js';

type Cancel = (error: BrokerError) => void;

/** Of the requests of one slot only the newest waits: it ends the one before, unless that has begun. */
export class NewestInSlot {
  readonly #waiting = new Map<string, Cancel>();

  /** From now on this one waits in the slot; whoever waited there is told. */
  take(slot: string, cancel: Cancel): void {
    const older = this.#waiting.get(slot);
    this.#waiting.set(slot, cancel);
    older?.(new BrokerError('SUPERSEDED', 'A newer request of this session has the same slot.'));
  }

  /** It does not wait any more. */
  leave(slot: string, cancel: Cancel): void {
    if (this.#waiting.get(slot) === cancel) this.#waiting.delete(slot);
  }

  /** Joins a queue, in which the one before has made room by then, and waits there. */
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
