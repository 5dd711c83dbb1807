import type { Executed } from '../protocol/errors.js';
import { type RpcError, rpcError } from './errors.js';

/** Milliseconds that the broker's own word is waited for: it knows best what was executed. */
const GRACE_MS = 2_000;

/** Why a request is given up. */
export class Ended {
  readonly kind: 'CANCELLED' | 'DEADLINE';
  readonly message: string;
  /** Whether the broker may still say something. */
  readonly final: boolean;

  constructor(kind: 'CANCELLED' | 'DEADLINE', message: string, final = false) {
    this.kind = kind;
    this.message = message;
    this.final = final;
  }

  toError(executed: Executed): RpcError {
    return rpcError(this.message, { kind: this.kind, executed });
  }
}

/** How long an answer is waited for: until its deadline or until the caller gives up, and a moment longer. */
export class Patience {
  #given: RpcError | undefined;
  #reject: ((error: RpcError) => void) | undefined;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #timer: ReturnType<typeof setTimeout>;

  /** @param cancel tells the broker that the caller gave up */
  constructor(signal: AbortSignal, executed: Executed, timeoutMs: number, cancel: () => void) {
    const giveUp = (why: Ended) => {
      this.#given = why.toError(executed);
      this.#reject?.(this.#given);
    };
    const late = new Ended('DEADLINE', `No answer within ${timeoutMs} ms.`);
    this.#signal = signal;
    this.#timer = setTimeout(() => giveUp(late), timeoutMs + GRACE_MS);
    this.#onAbort = () => {
      const why = signal.reason as Ended;
      cancel();
      clearTimeout(this.#timer);
      if (why.final) giveUp(why);
      else this.#timer = setTimeout(() => giveUp(why), GRACE_MS);
    };
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort);
  }

  with<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#given) reject(this.#given);
      answer.then(resolve, reject);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
