import { atMost } from '../runtime/wait.js';

/** Wakes the waiting caller; a signal that is sent while no caller waits makes the next `wait` return at once. */
export class WakeSignal {
  #sent = false;
  #wake: (() => void) | undefined;

  send(): void {
    this.#sent = true;
    this.#wake?.();
  }

  /** Waits for a signal, at most `ms`. Only one caller may wait at a time. @returns whether a signal was sent */
  async wait(ms: number): Promise<boolean> {
    if (!this.#sent) {
      await atMost(ms, (wake) => {
        this.#wake = wake;
      });
      this.#wake = undefined;
    }
    const sent = this.#sent;
    this.#sent = false;
    return sent;
  }
}
