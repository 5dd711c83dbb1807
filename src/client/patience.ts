import type { Executed } from '../protocol/errors.js';
import { boundedMs } from './backoff.js';
import { type RpcError, rpcError } from './errors.js';
import { onAbort } from './shared-signal.js';

/** Milliseconds to wait for the broker's own answer: the broker knows best what was executed. */
const GRACE_MS = 2_000;

/** Why a request is given up. */
export class Ended {
  readonly kind: 'CANCELLED' | 'DEADLINE';
  readonly message: string;
  /** Whether the broker's own answer is not waited for any longer. */
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

/** What the socket of a request is told by the {@link Patience} of the request. */
export interface PatienceEvents {
  /** The caller gives up; the broker's answer is still waited for. */
  onCancel(): void;
  /** The broker's answer is not waited for any longer. */
  onGone(): void;
}

/** How long an answer is waited for: until its deadline or until the caller gives up, and a moment longer. */
export class Patience {
  #given: RpcError | undefined;
  #reject: ((error: RpcError) => void) | undefined;
  readonly #unlisten: () => void;
  #timer: ReturnType<typeof setTimeout>;

  constructor(signal: AbortSignal, executed: Executed, timeoutMs: number, { onCancel, onGone }: PatienceEvents) {
    const giveUp = (why: Ended) => {
      this.#given = why.toError(executed);
      this.#reject?.(this.#given);
      onGone();
    };
    const late = new Ended('DEADLINE', `No answer within ${timeoutMs} ms.`);
    this.#timer = setTimeout(() => giveUp(late), boundedMs(timeoutMs + GRACE_MS));
    const cancel = () => {
      const why = signal.reason as Ended;
      onCancel();
      clearTimeout(this.#timer);
      if (why.final) giveUp(why);
      else this.#timer = setTimeout(() => giveUp(why), GRACE_MS);
    };
    this.#unlisten = onAbort(signal, cancel);
    if (signal.aborted) cancel();
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
    this.#unlisten();
  }
}
