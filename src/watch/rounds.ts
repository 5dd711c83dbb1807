import { orAborted } from '../runtime/wait.js';
import type { Found, Watcher } from './types.js';

interface Waiter {
  resolve(found: ReadonlyMap<string, Found>): void;
  reject(error: unknown): void;
}

/** Timeout in milliseconds of a round that no request waits for. */
const UNWATCHED_MS = 30_000;

/** Calls a watcher with its mailboxes: one call at a time, each for all requests since the previous call. */
export class Rounds {
  readonly #watcher: Watcher;
  readonly #mailboxes: () => string[];
  readonly #onFailure: (error: unknown) => void;
  readonly #waiting = new Set<Waiter>();
  #asked = false;
  #running = false;
  #current: { waiters: Set<Waiter>; end: AbortController } | undefined;
  #closed: unknown;

  /**
   * @param mailboxes returns the mailboxes to watch; called when a round begins
   * @param onFailure called when a round fails that no request waits for
   */
  constructor(watcher: Watcher, mailboxes: () => string[], onFailure: (error: unknown) => void) {
    this.#watcher = watcher;
    this.#mailboxes = mailboxes;
    this.#onFailure = onFailure;
  }

  /** What the watcher finds in the next round to begin. @throws what the watcher throws, or the signal's reason */
  join(signal: AbortSignal): Promise<ReadonlyMap<string, Found>> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#leave(waiter);
        waiter.reject(signal.reason);
      };
      const end = () => signal.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        resolve: (found) => {
          end();
          resolve(found);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort);
      this.#waiting.add(waiter);
      if (signal.aborted) onAbort();
      else void this.#run();
    });
  }

  /** A round that no request waits for, after mailboxes were removed. */
  refresh(): void {
    this.#asked = true;
    void this.#run();
  }

  /** Ends the rounds; waiting requests are rejected with the error. */
  close(error: unknown): void {
    this.#closed = error;
    for (const waiter of [...this.#waiting, ...(this.#current?.waiters ?? [])]) waiter.reject(error);
    this.#waiting.clear();
    this.#current?.end.abort(error);
  }

  #leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    const current = this.#current;
    if (current?.waiters.delete(waiter) && current.waiters.size === 0) current.end.abort(new Error('no request waits'));
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // All requests of the current turn are in the first round.
    await Promise.resolve();
    while (this.#closed === undefined && (this.#asked || this.#waiting.size > 0)) await this.#round();
    this.#running = false;
  }

  async #round(): Promise<void> {
    const waiters = new Set(this.#waiting);
    const end = new AbortController();
    const alone = waiters.size === 0;
    const timer = alone ? setTimeout(() => end.abort(new Error('no answer')), UNWATCHED_MS) : undefined;
    this.#waiting.clear();
    this.#asked = false;
    this.#current = { waiters, end };
    try {
      // A watcher that ignores its signal must not hold up the next round.
      const found = await orAborted(this.#watcher.watch(this.#mailboxes(), end.signal), end.signal);
      for (const waiter of waiters) waiter.resolve(found);
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
      if (alone && this.#closed === undefined) this.#onFailure(error);
    } finally {
      clearTimeout(timer);
      this.#current = undefined;
    }
  }
}
