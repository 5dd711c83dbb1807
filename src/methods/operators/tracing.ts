import { BrokerError } from '../../protocol/errors.js';
import type { TraceEvent } from '../../protocol/events.js';
import { type AccountFilter, keyMatcher } from '../../runtime/account-key.js';
import type { Subscriber } from '../../watch/types.js';

/** Most traces at once, in all and of one socket. */
const MOST = 100;
const MOST_OF_SOCKET = 10;
/** Requests that one trace tells in a second; further ones are only counted. */
const MOST_PER_SECOND = 200;

/** A request that was answered, of an account that an operator traces. */
export type TracedRequest = Omit<TraceEvent, 'trace' | 'at' | 'missed'>;

interface Tracer {
  subscriber: Subscriber;
  matches(key: string): boolean;
  second: number;
  sent: number;
  missed: number;
}

/** Operators that look on at the requests of one user. */
export class Tracing {
  readonly #tracers = new Map<string, Tracer>();
  /** The sockets that have begun a trace, and whether each is still open. */
  readonly #sockets = new WeakMap<Subscriber, { open: boolean }>();
  #made = 0;

  /**
   * Begins to tell a socket of the requests of an account.
   * @returns the trace's id, and what to call when its request was answered
   * @throws BrokerError RATE_LIMITED when there are too many traces
   */
  start(filter: AccountFilter, subscriber: Subscriber): { id: string; settle: (ok: boolean) => void } {
    const own = [...this.#tracers.values()].filter((one) => one.subscriber === subscriber);
    if (own.length >= MOST_OF_SOCKET || this.#tracers.size >= MOST) {
      const message = `There are ${own.length} traces of this socket, of ${MOST_OF_SOCKET}, and ${this.#tracers.size} in all, of ${MOST}.`;
      throw new BrokerError('RATE_LIMITED', message, { retryAfterMs: 10_000 });
    }
    this.#made += 1;
    const id = `trace-${this.#made}`;
    const tracer = { subscriber, matches: keyMatcher(filter), second: 0, sent: 0, missed: 0 };
    const socket = this.#follow(subscriber);
    return {
      id,
      settle: (ok) => {
        if (ok && socket.open) this.#tracers.set(id, tracer);
      },
    };
  }

  /** @returns whether the socket had such a trace */
  stop(id: string, subscriber: Subscriber): boolean {
    return this.#tracers.get(id)?.subscriber === subscriber && this.#tracers.delete(id);
  }

  /** Whether an operator traces an account. */
  wants(key: string): boolean {
    if (this.#tracers.size === 0) return false;
    for (const { matches } of this.#tracers.values()) if (matches(key)) return true;
    return false;
  }

  tell(key: string, request: TracedRequest): void {
    const now = new Date();
    const second = Math.floor(now.getTime() / 1000);
    for (const [trace, tracer] of this.#tracers) {
      if (!tracer.matches(key)) continue;
      if (tracer.second !== second) Object.assign(tracer, { second, sent: 0 });
      if (tracer.sent >= MOST_PER_SECOND) {
        tracer.missed += 1;
        continue;
      }
      const params: TraceEvent = { trace, at: now.toISOString(), ...request, missed: tracer.missed };
      tracer.sent += 1;
      tracer.missed = 0;
      tracer.subscriber.send(JSON.stringify({ jsonrpc: '2.0', method: 'trace', params }));
    }
  }

  /** Traces end with their socket. */
  #follow(subscriber: Subscriber): { open: boolean } {
    const existing = this.#sockets.get(subscriber);
    if (existing) return existing;
    const socket = { open: true };
    this.#sockets.set(subscriber, socket);
    subscriber.onClose(() => {
      socket.open = false;
      for (const [id, tracer] of this.#tracers) if (tracer.subscriber === subscriber) this.#tracers.delete(id);
    });
    return socket;
  }
}
