import { BrokerError } from '../../protocol/errors.js';
import { isRefusedLogin, wasReached } from '../account-errors.js';

/** Failures in a row after which the broker backs off. */
const PATIENCE = 5;
const FIRST_MS = 1_000;
const MOST_MS = 300_000;

export interface GateState {
  state: 'closed' | 'open' | 'trying';
  failures: number;
  /** Milliseconds until the next login is tried; 0 unless open. */
  retryAfterMs: number;
}

/**
 * The rate limit and circuit breaker before the logins of one server: a limited number of logins per second, and none
 * for a while when the server cannot be reached, with full jitter so that many brokers do not return at once.
 */
export class Gate {
  /** `performance.now()` when the server answered a login for the last time. */
  reachedAt: number | undefined;
  readonly #intervalMs: number;
  #nextAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #openUntil = 0;
  #trying = false;
  /** Logins that wait for their turn, in order of arrival. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onRefused: (error: BrokerError) => void;

  /**
   * @param loginsPerSecond most logins that are begun in a second
   * @param onRefused called when a login is not tried because the broker backs off
   */
  constructor(loginsPerSecond: number, onRefused: (error: BrokerError) => void = () => {}) {
    this.#intervalMs = 1000 / loginsPerSecond;
    this.#onRefused = onRefused;
  }

  get status(): GateState {
    const retryAfterMs = Math.max(0, Math.ceil(this.#openUntil - performance.now()));
    const open = this.#failures >= PATIENCE;
    const state = this.#trying ? 'trying' : open && retryAfterMs > 0 ? 'open' : 'closed';
    return { state, failures: this.#failures, retryAfterMs: open ? retryAfterMs : 0 };
  }

  /**
   * Connects when this login's turn has come.
   * @throws BrokerError UPSTREAM_UNAVAILABLE with `retryAfterMs` while the broker backs off, the signal's reason,
   * or what connecting throws
   */
  async pass<T>(server: string, signal: AbortSignal, connect: () => Promise<T>): Promise<T> {
    this.#refuseWhileOpen(server);
    await this.#turn(signal);
    // Meanwhile other logins may have found that the server cannot be reached, or one may be trying it again.
    this.#refuseWhileOpen(server);
    const mine = this.#failures >= PATIENCE;
    if (mine) this.#trying = true;
    try {
      const connection = await connect();
      this.#reached();
      return connection;
    } catch (error) {
      this.#note(error, signal, mine);
      throw error;
    } finally {
      if (mine) this.#trying = false;
    }
  }

  #refuseWhileOpen(server: string): void {
    const { state, failures, retryAfterMs } = this.status;
    if (state === 'closed') return;
    const message = `The IMAP server "${server}" could not be reached ${failures} times; the broker backs off.`;
    const error = new BrokerError('UPSTREAM_UNAVAILABLE', message, { retryAfterMs: Math.max(retryAfterMs, 100) });
    this.#onRefused(error);
    throw error;
  }

  /** A login that is cancelled while it waits takes no turn. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size === 0 && this.#isTurn) return this.#takeTurn();
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        if (this.#waiting.size === 0) this.#stop();
        resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
      this.#timer ??= this.#next();
    });
    signal.throwIfAborted();
  }

  get #isTurn(): boolean {
    return this.#nextAt <= performance.now();
  }

  #takeTurn(): void {
    // The logins of one second may begin at once.
    this.#nextAt = Math.max(performance.now() - 1000, this.#nextAt) + this.#intervalMs;
  }

  #next(): NodeJS.Timeout {
    return setTimeout(() => this.#serve(), Math.max(0, this.#nextAt - performance.now()));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Begins the logins whose turn it is. */
  #serve(): void {
    for (const begin of this.#waiting) {
      if (!this.#isTurn) break;
      this.#takeTurn();
      begin();
    }
    if (this.#waiting.size > 0) this.#timer = this.#next();
  }

  #reached(): void {
    this.#failures = 0;
    this.reachedAt = performance.now();
  }

  /** @param mine whether this login was the next try after the broker had backed off */
  #note(error: unknown, signal: AbortSignal, mine: boolean): void {
    if (signal.aborted || !(error instanceof BrokerError)) return;
    if (isRefusedLogin(error) || wasReached(error)) {
      this.#reached();
    } else if (error.kind === 'UPSTREAM_UNAVAILABLE') {
      // Logins that were under way when the broker began to back off fail together: that is no reason to wait longer.
      if (this.#failures >= PATIENCE && !mine) return;
      this.#failures += 1;
      if (this.#failures < PATIENCE) return;
      const mostMs = Math.min(MOST_MS, FIRST_MS * 2 ** (this.#failures - PATIENCE));
      this.#openUntil = performance.now() + Math.random() * mostMs;
      // Logins that wait for their turn are refused at once.
      for (const end of this.#waiting) end();
    }
  }
}
