import { type RpcError, rpcError } from './errors.js';
import { type MethodName, methods } from './generated/methods.js';
import { Violation } from './streams/incoming.js';

/** Most requests that were given up and are still unanswered; with more the socket is ended. */
const MOST_UNANSWERED = 1000;

/** A request that the broker has not answered. */
export interface Pending {
  readonly method: MethodName;
  /** Whether the caller wants the request cancelled, or does not wait any longer. */
  cancelled: boolean;
  abandoned: boolean;
  readonly onAnswer: ((result: Record<string, unknown>) => void) | undefined;
  resolve(result: Record<string, unknown>): void;
  reject(error: RpcError): void;
}

/** The unanswered requests of one socket. */
export class Requests {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #abandoned = 0;

  /** Requests whose callers wait. */
  get live(): number {
    return this.#pending.size - this.#abandoned;
  }

  begin(method: MethodName, onAnswer: Pending['onAnswer']): { id: number; answer: Promise<Record<string, unknown>> } {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#pending.set(id, { method, cancelled: false, abandoned: false, onAnswer, resolve, reject });
    });
    answer.catch(() => {});
    return { id, answer };
  }

  /** The caller wants the request cancelled. @returns whether the broker has not answered yet */
  cancel(id: number): boolean {
    const pending = this.#pending.get(id);
    if (pending) pending.cancelled = true;
    return pending !== undefined;
  }

  /** The caller has gone. @throws Violation when the broker leaves too many without an answer */
  abandon(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending || pending.abandoned) return;
    pending.abandoned = true;
    this.#abandoned += 1;
    if (this.#abandoned > MOST_UNANSWERED) throw new Violation(`no answer to ${MOST_UNANSWERED} requests`);
  }

  /** @throws Violation for an id that no request had, or that is answered already */
  get(id: number): Pending {
    const pending = this.#pending.get(id);
    if (!pending) throw new Violation('an answer to no request');
    return pending;
  }

  answered(id: number): void {
    if (this.#pending.get(id)?.abandoned) this.#abandoned -= 1;
    this.#pending.delete(id);
  }

  /** The socket has ended. */
  fail(kind: RpcError['kind'], message: string): void {
    for (const { method, reject } of this.#pending.values()) {
      reject(rpcError(message, { kind, executed: methods[method].effect === 'write' ? 'maybe' : 'no' }));
    }
    this.#pending.clear();
    this.#abandoned = 0;
  }
}
