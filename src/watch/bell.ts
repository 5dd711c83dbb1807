import { atMost } from '../runtime/wait.js';

/** Wakes the waiting caller; a ring while no caller waits makes the next `wait` return at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits for a ring, at most `ms`. Only one caller may wait at a time. @returns whether the bell rang */
  async wait(ms: number): Promise<boolean> {
    if (!this.#rung) {
      await atMost(ms, (wake) => {
        this.#wake = wake;
      });
      this.#wake = undefined;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
