import type { ImapConnection } from '../../imap/connection/connection.js';
import { LoginError } from '../../imap/login/login-error.js';
import type { LoginRefusal } from '../../imap/login/refusals.js';
import type { BrokerError } from '../../protocol/errors.js';
import { putLast } from '../../runtime/put-last.js';
import type { PoolLimits } from './slots.js';

/** Why no login of an account is tried: what the server meant, or that its connections ended soon after their logins. */
type Reason = Exclude<LoginRefusal, 'credentials'> | 'ended';

/** Milliseconds of the first pause and of the longest; each is twice as long as the one before. */
const pauses: Record<Reason, [first: number, most: number]> = {
  connections: [2_000, 60_000],
  throttled: [30_000, 900_000],
  account: [5_000, 300_000],
  server: [2_000, 60_000],
  ended: [1_000, 60_000],
};
/** Most milliseconds of a pause that a server asks for: a number out of all proportion must not lock a user out for good. */
const MOST_ASKED_MS = 3_600_000;
/** Connections that may end so soon, one after the other, before the account backs off: a restart ends some. */
const QUICK_ENDS = 3;
/** Times `stayMs` after the last of these ends, or after the last pause, when they are forgotten. */
const CALM = 24;
/** Milliseconds after the end of a pause when an account that has not tried again is forgotten. */
const FORGET_MS = 900_000;
/** Accounts that are remembered. */
const MOST = 10_000;

interface Entry {
  failures: number;
  quickEnds: number;
  /** `performance.now()` of the last quick end. */
  quickEndAt: number;
  /** `performance.now()` until when no login is tried. */
  until: number;
  error: LoginError | undefined;
  reason: Reason | undefined;
}

/** A pause of an account. */
export interface Backoff {
  /** What requests are told meanwhile: the server's words, and when to come back. */
  error: LoginError;
  reason: Reason | undefined;
}

/** Which accounts do not log in for a while: the server refused that, or ended what it had let in. Each pause is longer. */
export class Backoffs {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: Pick<PoolLimits, 'stayMs'>;
  readonly #onQuickEnds: (key: string, error: BrokerError) => void;

  /**
   * @param limits as they are at any time
   * @param onQuickEnds called once for an account whose connections end soon after their logins, until one stays
   */
  constructor(limits: Pick<PoolLimits, 'stayMs'>, onQuickEnds: (key: string, error: BrokerError) => void = () => {}) {
    this.#limits = limits;
    this.#onQuickEnds = onQuickEnds;
  }

  /** The pause of an account; undefined where a login may be tried. */
  of(key: string): Backoff | undefined {
    const entry = this.#entries.get(key);
    const leftMs = entry ? Math.ceil(entry.until - performance.now()) : 0;
    if (!entry?.error || leftMs <= 0) return undefined;
    return { error: entry.error.withRetryAfter(leftMs), reason: entry.reason };
  }

  /** A login failed. @returns the error with the time for which the account backs off, where it does */
  failed(key: string, error: unknown): unknown {
    if (!(error instanceof LoginError) || error.stage !== 'login' || error.kind !== 'UPSTREAM_UNAVAILABLE')
      return error;
    if (error.refusal === undefined) {
      this.#endedSoon(key, error);
      return this.of(key)?.error ?? error;
    }
    // Credentials that were refused in another way than by a NO are not known to be wrong.
    const reason = error.refusal === 'credentials' ? 'account' : error.refusal;
    const entry = this.#entryOf(key);
    // Logins that fail while the account backs off were begun before: they make the pause no longer.
    if (entry.until <= performance.now()) {
      entry.failures += 1;
      pause(entry, reason, entry.failures, error.retryAfterMs);
    }
    entry.error = error;
    entry.reason = reason;
    return this.of(key)?.error ?? error;
  }

  /** A login succeeded. */
  succeeded(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.failures = 0;
    if (entry.quickEnds === 0) this.#entries.delete(key);
  }

  /** The server ended a connection. */
  ended(key: string, { createdAt, server }: ImapConnection, error?: BrokerError): void {
    if (Date.now() - createdAt >= this.#limits.stayMs) {
      const known = this.#entries.get(key);
      if (known) known.quickEnds = 0;
      return;
    }
    const why = error?.imap?.text ? `: ${error.imap.text}` : '.';
    const text = `The IMAP server "${server.name}" ends connections of this account soon after their logins${why}`;
    const { imap } = error ?? {};
    this.#endedSoon(key, new LoginError('UPSTREAM_UNAVAILABLE', text, { stage: 'login', imap, cause: error }));
  }

  /** A connection has ended soon after its login, or in the middle of it. */
  #endedSoon(key: string, error: LoginError): void {
    const entry = this.#entryOf(key);
    const now = performance.now();
    // Connections that end while the account backs off were made before: they count as nothing.
    if (entry.until > now) return;
    // Ends that are far from each other, such as those of a network that fails now and then, are none in a row.
    if (now - Math.max(entry.until, entry.quickEndAt) > CALM * this.#limits.stayMs) entry.quickEnds = 0;
    entry.quickEndAt = now;
    entry.quickEnds += 1;
    if (entry.quickEnds <= QUICK_ENDS) return;
    entry.error = error;
    entry.reason = 'ended';
    pause(entry, 'ended', entry.quickEnds - QUICK_ENDS);
    if (entry.quickEnds === QUICK_ENDS + 1) this.#onQuickEnds(key, error);
  }

  /** What was learnt of some accounts does not hold any more. */
  forget(matches: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (matches(key)) this.#entries.delete(key);
  }

  /** Forgets accounts whose pause ended long ago. */
  sweep(): void {
    const before = performance.now() - FORGET_MS;
    for (const [key, { until }] of this.#entries) if (until < before) this.#entries.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  #entryOf(key: string): Entry {
    const now = performance.now();
    const entry = this.#entries.get(key) ?? {
      failures: 0,
      quickEnds: 0,
      quickEndAt: now,
      until: now,
      error: undefined,
      reason: undefined,
    };
    putLast(this.#entries, key, entry, MOST);
    return entry;
  }
}

/** With jitter: accounts that failed together do not come back together. */
function pause(entry: Entry, reason: Reason, times: number, leastMs = 0): void {
  const [first, most] = pauses[reason];
  const ms = Math.min(most, first * 2 ** (times - 1)) * (0.75 + Math.random() / 4);
  entry.until = performance.now() + Math.max(ms, Math.min(leastMs, MOST_ASKED_MS));
}
