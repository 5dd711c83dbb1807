import { hash, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import { accountKey } from '../runtime/account-key.js';
import type { KeyRing } from './key-ring.js';
import type { Revocations } from './revocations.js';
import { seal, unseal } from './seal.js';
import type { Secret, Session } from './session.js';
import type { LiveSession, Opened, Proven, SessionStore } from './store.js';

export interface SessionLimits {
  /** Milliseconds that a token lasts unless it is renewed. */
  ttlMs: number;
  /** Milliseconds that a session lasts however often it is renewed. */
  maxAgeMs: number;
  /** Opened tokens that are remembered, so that a click costs no decryption. */
  remembered: number;
}

export const defaultSessionLimits: SessionLimits = {
  ttlMs: 12 * 3_600_000,
  maxAgeMs: 7 * 24 * 3_600_000,
  remembered: 100_000,
};

export interface SealedSessionsOptions {
  keys: KeyRing;
  revocations: Revocations;
  limits: SessionLimits;
  /** Called when the last session of an account that was used here has ended. */
  onAccountEnd: (accountKey: string) => void;
}

/** Sessions that are their own tokens: sealed, so that any broker with the keys goes on with them. */
export class SealedSessions implements SessionStore {
  readonly #options: SealedSessionsOptions;
  readonly #opened = new Map<string, Session>();
  /** Sessions used here, by id, the longest unused first. */
  readonly #live = new Map<string, LiveSession>();
  readonly #perAccount = new Map<string, number>();
  readonly #perTenant = new Map<string, number>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: SealedSessionsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(60_000, Math.max(100, options.limits.ttlMs / 4)));
    this.#sweeper.unref();
  }

  open(proven: Proven): Promise<Opened> {
    const now = Date.now();
    const { tenant, server, user } = proven;
    const key = accountKey({ tenant, server: { name: server }, user });
    const endsAt = now + this.#options.limits.maxAgeMs;
    // No command line takes it for an option.
    const id = randomBytes(16).toString('base64url').replace(/^-/, 's');
    return this.#seal({ ...proven, id, accountKey: key, openedAt: now, issuedAt: now, expiresAt: now, endsAt });
  }

  async resolve(tenant: string, token: string): Promise<Session> {
    const key = hash('sha256', token, 'base64');
    const known = this.#opened.get(key);
    const session = known ?? (await unseal(this.#options.keys, token));
    if (session?.tenant !== tenant || session.expiresAt <= Date.now() || this.#options.revocations.has(session)) {
      throw new BrokerError('SESSION_EXPIRED', 'session: unknown or ended; open a new one.', { field: 'session' });
    }
    if (known) this.#opened.delete(key);
    this.#opened.set(key, session);
    this.#bound(this.#opened);
    this.#use(session);
    return session;
  }

  renew(session: Session, secret: Secret = session.secret): Promise<Opened> {
    return this.#seal({ ...session, secret, issuedAt: Date.now() });
  }

  async close(session: Session): Promise<void> {
    this.#options.revocations.session(session);
    this.#end(session.id);
  }

  async revoke(tenant: string, user?: string): Promise<number> {
    const { revocations, limits } = this.#options;
    if (user === undefined) revocations.tenant(tenant, limits.maxAgeMs);
    else revocations.user(tenant, user, limits.maxAgeMs);
    const before = this.#perAccount.size;
    for (const [id, { tenant: ofTenant, accountKey: key }] of this.#live) {
      const [, , ofUser] = JSON.parse(key) as string[];
      if (ofTenant === tenant && (user === undefined || ofUser === user)) this.#end(id);
    }
    return before - this.#perAccount.size;
  }

  /** Other limits, for tokens that are made from now on. */
  setLimits(limits: SessionLimits): void {
    Object.assign(this.#options.limits, limits);
  }

  /** The tenant is not configured any more: its sessions have no effect here, until it is again. */
  forget(tenant: string): void {
    for (const [id, live] of this.#live) if (live.tenant === tenant) this.#end(id);
  }

  kick(id: string): string | undefined {
    const live = this.#live.get(id);
    if (!live) return undefined;
    const { revocations, limits } = this.#options;
    // No later than this: its real end is in the tokens alone.
    revocations.session({ id, tenant: live.tenant, endsAt: Date.now() + limits.maxAgeMs });
    this.#end(id);
    return live.accountKey;
  }

  count(tenant: string): number {
    return this.#perTenant.get(tenant) ?? 0;
  }

  get live(): ReadonlyMap<string, LiveSession> {
    return this.#live;
  }

  get totals(): { sessions: number; accounts: number; limit: number } {
    const { remembered } = this.#options.limits;
    return { sessions: this.#live.size, accounts: this.#perAccount.size, limit: remembered };
  }

  countOf(key: string): number {
    return this.#perAccount.get(key) ?? 0;
  }

  hasAccount(key: string): boolean {
    return this.#perAccount.has(key);
  }

  /** Forgets what was used here, without telling of the accounts. */
  dispose(): void {
    clearInterval(this.#sweeper);
    this.#opened.clear();
    this.#live.clear();
    this.#perAccount.clear();
    this.#perTenant.clear();
  }

  async #seal(session: Session): Promise<Opened> {
    const expiresAt = Math.min(Date.now() + this.#options.limits.ttlMs, session.endsAt);
    const sealed = { ...session, expiresAt };
    const token = await seal(this.#options.keys, sealed);
    this.#use(sealed);
    return { token, session: sealed };
  }

  #use({ id, tenant, accountKey: key, openedAt, expiresAt }: Session): void {
    const known = this.#live.get(id);
    this.#live.delete(id);
    const lastEnd = Math.max(expiresAt, known?.expiresAt ?? 0);
    this.#live.set(id, { tenant, accountKey: key, openedAt, expiresAt: lastEnd });
    if (!known) {
      count(this.#perAccount, key, 1);
      count(this.#perTenant, tenant, 1);
    }
    if (this.#live.size > this.#options.limits.remembered) {
      const [oldest] = this.#live.keys();
      if (oldest !== undefined) this.#end(oldest);
    }
  }

  #bound(map: Map<string, Session>): void {
    if (map.size <= this.#options.limits.remembered) return;
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }

  #end(id: string): void {
    const ended = this.#live.get(id);
    if (!ended) return;
    this.#live.delete(id);
    count(this.#perTenant, ended.tenant, -1);
    count(this.#perAccount, ended.accountKey, -1);
    if (!this.#perAccount.has(ended.accountKey)) this.#options.onAccountEnd(ended.accountKey);
  }

  #sweep(): void {
    const now = Date.now();
    for (const [key, { expiresAt }] of this.#opened) if (expiresAt <= now) this.#opened.delete(key);
    for (const [id, { expiresAt }] of this.#live) if (expiresAt <= now) this.#end(id);
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}
