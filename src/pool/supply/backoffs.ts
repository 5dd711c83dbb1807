import type { ImapConnection } from '../../imap/connection/connection.js';
import { LoginError } from '../../imap/login/login-error.js';
import type { LoginRefusal } from '../../imap/login/refusals.js';
import type { BrokerError } from '../../protocol/errors.js';
import type { Current } from '../../runtime/live.js';
import { putLast } from '../../runtime/put-last.js';
import type { PoolLimits } from '../pool-limits.js';

/** Why an account backs off: why the server refused a login, or that connections ended soon after their logins. */
type Reason = Exclude<LoginRefusal, 'credentials'> | 'ended';

/** Milliseconds of the first pause and of the longest; each pause is twice as long as the one before. */
const pauses: Record<Reason, [first: number, most: number]> = {
  connections: [2_000, 60_000],
  throttled: [30_000, 900_000],
  account: [5_000, 300_000],
  server: [2_000, 60_000],
  ended: [1_000, 60_000],
};
/** Longest pause in milliseconds that a server may ask for: an excessive number must not lock a user out. */
const MOST_ASKED_MS = 3_600_000;
/** Connections in a row that may end soon after their logins before the account backs off: a restart ends some. */
const QUICK_ENDS = 3;
/** Quick ends are forgotten this many times `stayMs` after the last of them, or after the last pause. */
const CALM = 24;
/** Milliseconds after the end of its pause until an account that has not tried again is forgotten. */
const FORGET_MS = 900_000;
/** Most accounts that are remembered. */
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
  /** The error of requests during the pause: the server's words, and when to retry. */
  error: LoginError;
  reason: Reason | undefined;
}

/**
 * Which accounts back off: the server refused their logins, or ended their connections soon after. Each pause is longer
 * than the one before.
 */
export class Backoffs {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: Current<Pick<PoolLimits, 'stayMs'>>;
  readonly #onQuickEnds: (key: string, error: BrokerError) => void;

  /**
   * @param onQuickEnds called once for an account whose connections end soon after login, until a connection stays
   */
  constructor(
    limits: Current<Pick<PoolLimits, 'stayMs'>>,
    onQuickEnds: (key: string, error: BrokerError) => void = () => {},
  ) {
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

  /** A login failed. @returns the error, with `retryAfterMs` where the account backs off */
  failed(key: string, error: unknown): unknown {
    if (!(error instanceof LoginError) || error.stage !== 'login' || error.kind !== 'UPSTREAM_UNAVAILABLE')
      return error;
    if (error.refusal === undefined) {
      this.#endedSoon(key, error);
      return this.of(key)?.error ?? error;
    }
    // Credentials that the server refused by other means than a NO are not known to be wrong.
    const reason = error.refusal === 'credentials' ? 'account' : error.refusal;
    const entry = this.#entryOf(key);
    // Logins that fail during the pause began before it: they do not make the pause longer.
    if (entry.until <= performance.now()) {
      entry.failures += 1;
      beginPause(entry, reason, entry.failures, error.retryAfterMs);
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
    if (Date.now() - createdAt >= this.#limits.now.stayMs) {
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
    // Connections that end during the pause were made before it: they do not count.
    if (entry.until > now) return;
    // Ends that lie far apart, such as those of a network that fails now and then, are not in a row.
    if (now - Math.max(entry.until, entry.quickEndAt) > CALM * this.#limits.now.stayMs) entry.quickEnds = 0;
    entry.quickEndAt = now;
    entry.quickEnds += 1;
    if (entry.quickEnds <= QUICK_ENDS) return;
    entry.error = error;
    entry.reason = 'ended';
    beginPause(entry, 'ended', entry.quickEnds - QUICK_ENDS);
    if (entry.quickEnds === QUICK_ENDS + 1) this.#onQuickEnds(key, error);
  }

  /** Forgets what was learnt of some accounts, because it does not hold any more. */
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
function beginPause(entry: Entry, reason: Reason, times: number, leastMs = 0): void {
  const [first, most] = pauses[reason];
  const ms = Math.min(most, first * 2 ** (times - 1)) * (0.75 + Math.random() / 4);
  entry.until = performance.now() + Math.max(ms, Math.min(leastMs, MOST_ASKED_MS));
}
