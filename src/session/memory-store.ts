import { createHash, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import type { Session } from './session.js';
import type { SessionStore } from './store.js';

export interface SessionLimits {
  /** Milliseconds that a session lasts without use. */
  ttlMs: number;
  /** Most sessions at once. */
  sessions: number;
}

export const defaultSessionLimits: SessionLimits = { ttlMs: 12 * 3_600_000, sessions: 100_000 };

/** Sessions in memory under random tokens, of which only the hash is kept. */
export class MemorySessionStore implements SessionStore {
  readonly #limits: SessionLimits;
  readonly #byHash = new Map<string, Session>();
  readonly #perAccount = new Map<string, number>();
  readonly #onAccountEnd: (accountKey: string) => void;
  readonly #sweeper: NodeJS.Timeout;

  /** @param onAccountEnd called when the last session of an account has ended */
  constructor(limits: SessionLimits, onAccountEnd: (accountKey: string) => void) {
    this.#limits = limits;
    this.#onAccountEnd = onAccountEnd;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(60_000, Math.max(100, limits.ttlMs / 4)));
    this.#sweeper.unref();
  }

  open(proven: { tenant: string; server: string; user: string; accountKey: string }): {
    token: string;
    session: Session;
  } {
    if (this.#byHash.size >= this.#limits.sessions) this.#sweep();
    if (this.#byHash.size >= this.#limits.sessions) {
      throw new BrokerError('RATE_LIMITED', `The broker holds ${this.#limits.sessions} sessions already.`, {
        retryAfterMs: 60_000,
      });
    }
    const token = randomBytes(32).toString('base64url');
    const now = Date.now();
    const session: Session = { ...proven, openedAt: now, expiresAt: now + this.#limits.ttlMs };
    this.#byHash.set(hash(token), session);
    this.#perAccount.set(proven.accountKey, (this.#perAccount.get(proven.accountKey) ?? 0) + 1);
    return { token, session };
  }

  resolve(tenant: string, token: string): Session {
    const session = this.#byHash.get(hash(token));
    if (session?.tenant !== tenant || session.expiresAt <= Date.now()) {
      throw new BrokerError('SESSION_EXPIRED', 'session: unknown or ended; open a new one.', { field: 'session' });
    }
    session.expiresAt = Date.now() + this.#limits.ttlMs;
    return session;
  }

  hasAccount(accountKey: string): boolean {
    return this.#perAccount.has(accountKey);
  }

  close(tenant: string, token: string): void {
    const session = this.resolve(tenant, token);
    this.#end(hash(token), session);
  }

  /** Forgets all sessions, without telling of their accounts. */
  dispose(): void {
    clearInterval(this.#sweeper);
    this.#byHash.clear();
    this.#perAccount.clear();
  }

  #end(key: string, session: Session): void {
    this.#byHash.delete(key);
    const left = (this.#perAccount.get(session.accountKey) ?? 1) - 1;
    if (left > 0) {
      this.#perAccount.set(session.accountKey, left);
    } else {
      this.#perAccount.delete(session.accountKey);
      this.#onAccountEnd(session.accountKey);
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [key, session] of this.#byHash) if (session.expiresAt <= now) this.#end(key, session);
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
