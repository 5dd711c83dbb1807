import { hash, randomBytes } from 'node:crypto';
import { accountKey, namesOf } from '../runtime/account-key.js';
import { Live } from '../runtime/live.js';
import { putLast } from '../runtime/put-last.js';
import type { KeyRing, SealingKey } from './key-ring.js';
import type { Entry } from './revocation-entry.js';
import type { Ended, Revocations } from './revocations.js';
import { seal, unseal } from './seal.js';
import { type Secret, type Session, sessionExpired } from './session.js';
import type { Holds, LiveSession, Opened, Proven, SessionStore } from './store.js';

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
  /** What several brokers know together of ended sessions, where they have a store. */
  shared?: SharedEnds | undefined;
  /** Called when the last session of an account that was used here has ended. */
  onAccountEnd: (accountKey: string) => void;
}

/** What several brokers know together of ended sessions. */
export interface SharedEnds {
  /** @returns false where the store cannot be reached: it is told later */
  publish(ended: Ended): Promise<boolean>;
  /** The ends that concern a session; none where the store cannot be reached. */
  of(session: Pick<Session, 'id' | 'tenant' | 'user'>): Promise<readonly Ended[]>;
}

/** A session that was used here, by the newest of its tokens. */
interface Used extends LiveSession, Pick<Session, 'secret' | 'renewals' | 'endsAt' | 'line' | 'generation'> {
  /** The key that sealed that token. */
  key: SealingKey;
}

/** A token that was opened. */
interface Unsealed {
  session: Session;
  key: SealingKey;
}

/** Sessions that are their own tokens: sealed, so that any broker with the keys goes on with them. */
export class SealedSessions implements SessionStore {
  readonly #options: SealedSessionsOptions;
  readonly #limits: Live<SessionLimits>;
  readonly #opened = new Map<string, Unsealed>();
  /** Sessions used here, by id, the longest unused first. */
  readonly #live = new Map<string, Used>();
  readonly #perAccount = new Map<string, number>();
  readonly #perTenant = new Map<string, number>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #stopLearning: () => void;

  constructor(options: SealedSessionsOptions) {
    this.#options = options;
    this.#limits = new Live(options.limits);
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(60_000, Math.max(100, options.limits.ttlMs / 4)));
    this.#sweeper.unref();
    this.#stopLearning = options.revocations.learned.add((entries) => this.#endLearned(entries));
  }

  open(proven: Proven): Promise<Opened> {
    const now = Date.now();
    const { tenant, server, user } = proven;
    const key = accountKey({ tenant, server: { name: server }, user });
    const endsAt = now + this.#limits.now.maxAgeMs;
    // Without a dash in front, so that no command line takes the id for an option.
    const id = randomBytes(16).toString('base64url').replace(/^-/, 's');
    const { line, generation } = this.#options.revocations.opening();
    const times = { openedAt: now, expiresAt: now, endsAt };
    return this.#seal({ ...proven, id, accountKey: key, ...times, line, generation, renewals: 0 });
  }

  async resolve(tenant: string, token: string): Promise<Session> {
    const { keys } = this.#options;
    const hashed = hash('sha256', token, 'base64');
    const known = this.#opened.get(hashed);
    const unsealed = known ?? (await unseal(keys, token));
    if (!unsealed) throw sessionExpired();
    const { session, key } = unsealed;
    if (known) this.#opened.delete(hashed);
    else {
      // The session may have been ended at another broker before this one began to listen, or a moment ago.
      for (const ended of (await this.#options.shared?.of(session)) ?? []) this.learn(ended);
      this.#options.revocations.catchUp();
    }
    // A thief of a key that was dropped could have made the token.
    if (!keys.has(key) || session.tenant !== tenant || session.expiresAt <= Date.now()) throw sessionExpired();
    this.check(session);
    putLast(this.#opened, hashed, unsealed, this.#limits.now.remembered);
    this.#use(unsealed);
    return session;
  }

  check(session: Session): void {
    if (this.#options.revocations.has(session)) throw sessionExpired();
  }

  newestSecret({ id, secret }: Session): Secret {
    return this.#live.get(id)?.secret ?? secret;
  }

  renew(session: Session, secret: Secret = this.newestSecret(session)): Promise<Opened> {
    this.check(session);
    const renewals = Math.max(session.renewals, this.#live.get(session.id)?.renewals ?? 0) + 1;
    return this.#seal({ ...session, secret, renewals });
  }

  async close(session: Session): Promise<Holds> {
    const { id, tenant, endsAt } = session;
    const saved = this.#options.revocations.session(session);
    this.#end(id);
    return { lasts: this.#lasts(saved), everywhere: await this.#publish({ id, tenant, until: endsAt }) };
  }

  async revoke(tenant: string, user?: string): Promise<{ accounts: number } & Holds> {
    const { revocations } = this.#options;
    const { maxAgeMs } = this.#limits.now;
    const saved = user === undefined ? revocations.tenant(tenant, maxAgeMs) : revocations.user(tenant, user, maxAgeMs);
    const before = this.#perAccount.size;
    for (const [id, { tenant: ofTenant, accountKey: key }] of this.#live) {
      const [, , ofUser] = JSON.parse(key) as string[];
      if (ofTenant === tenant && (user === undefined || ofUser === user)) this.#end(id);
    }
    const accounts = before - this.#perAccount.size;
    const everywhere = await this.#publish({ tenant, user, until: Date.now() + maxAgeMs });
    return { accounts, lasts: this.#lasts(saved), everywhere };
  }

  /** Another broker has ended sessions. */
  learn(ended: Ended): void {
    const { id: only, tenant, user, at } = ended;
    this.#options.revocations.learn(ended);
    for (const [id, live] of only === undefined ? this.#live : []) {
      const [, , ofUser] = JSON.parse(live.accountKey) as string[];
      const concerned = live.tenant === tenant && (user === undefined || ofUser === user);
      if (concerned && live.openedAt <= at) this.#end(id);
    }
    if (only !== undefined) this.#end(only);
  }

  /** Ends of other brokers may have been missed: all sessions are looked up anew, those that are used now at once. */
  async lookAgain(): Promise<void> {
    this.#opened.clear();
    for (const [id, { tenant, accountKey: key }] of [...this.#live]) {
      const [, , user = ''] = JSON.parse(key) as string[];
      for (const ended of (await this.#options.shared?.of({ id, tenant, user })) ?? []) this.learn(ended);
    }
  }

  /** Tells other brokers of an end. @returns whether all of them will know at once; null where there is no store */
  async #publish(ended: Omit<Ended, 'at'>): Promise<boolean | null> {
    return (await this.#options.shared?.publish({ ...ended, at: Date.now() })) ?? null;
  }

  /** Sets other limits, for tokens that are made from now on. */
  setLimits(limits: SessionLimits): void {
    this.#limits.replace(limits);
  }

  /** The tenant is not configured any more: its sessions have no effect here, until the tenant is configured again. */
  forget(tenant: string): void {
    for (const [id, live] of this.#live) if (live.tenant === tenant) this.#end(id);
  }

  async kick(id: string): Promise<({ accountKey: string } & Holds) | undefined> {
    const live = this.#live.get(id);
    if (!live) return undefined;
    const saved = this.#options.revocations.session({ id, tenant: live.tenant, endsAt: live.endsAt });
    this.#end(id);
    const everywhere = await this.#publish({ id, tenant: live.tenant, until: live.endsAt });
    return { accountKey: live.accountKey, lasts: this.#lasts(saved), everywhere };
  }

  count(tenant: string): number {
    return this.#perTenant.get(tenant) ?? 0;
  }

  get live(): ReadonlyMap<string, LiveSession> {
    return this.#live;
  }

  get totals(): { sessions: number; accounts: number; limit: number } {
    const { remembered } = this.#limits.now;
    return { sessions: this.#live.size, accounts: this.#perAccount.size, limit: remembered };
  }

  countOf(key: string): number {
    return this.#perAccount.get(key) ?? 0;
  }

  hasAccount(key: string): boolean {
    return this.#perAccount.has(key);
  }

  /** Forgets the sessions that were used here, without a call of `onAccountEnd`. */
  dispose(): void {
    clearInterval(this.#sweeper);
    this.#stopLearning();
    this.#options.revocations.close();
    this.#opened.clear();
    this.#live.clear();
    this.#perAccount.clear();
    this.#perTenant.clear();
  }

  /** Whether the end of a session lasts: tokens whose keys end with the process need no saved list. */
  #lasts(saved: boolean): boolean {
    return saved || this.#options.keys.isEphemeral;
  }

  async #seal(session: Session): Promise<Opened> {
    const expiresAt = Math.min(Date.now() + this.#limits.now.ttlMs, session.endsAt);
    const sealed = { ...session, expiresAt };
    const { newest } = this.#options.keys;
    const token = await seal(newest, sealed);
    this.check(sealed);
    this.#use({ session: sealed, key: newest });
    return { token, session: sealed };
  }

  #use({ session, key: sealedWith }: Unsealed): void {
    const { id, tenant, accountKey: key, openedAt, expiresAt, endsAt, line, generation } = session;
    const known = this.#live.get(id);
    this.#live.delete(id);
    // An older token goes on until its end, with the secret that the newest one has proven.
    const newer = known && known.renewals > session.renewals ? known : { ...session, key: sealedWith };
    this.#live.set(id, {
      tenant,
      accountKey: key,
      openedAt,
      expiresAt: Math.max(expiresAt, known?.expiresAt ?? 0),
      secret: newer.secret,
      renewals: newer.renewals,
      endsAt,
      line,
      generation,
      key: newer.key,
    });
    if (!known) {
      count(this.#perAccount, key, 1);
      count(this.#perTenant, tenant, 1);
    }
    if (this.#live.size > this.#limits.now.remembered) {
      const [oldest] = this.#live.keys();
      if (oldest !== undefined) this.#end(oldest);
    }
  }

  /** Brokers that have the list of ended sessions in common have ended sessions. */
  #endLearned(entries: readonly Entry[]): void {
    for (const { id } of entries) if (id !== undefined) this.#end(id);
    const revoked = new Set(entries.filter(({ id }) => id === undefined).map(({ tenant }) => tenant));
    for (const [id, live] of revoked.size > 0 ? this.#live : []) {
      if (!revoked.has(live.tenant)) continue;
      const { user } = namesOf(live.accountKey);
      if (this.#options.revocations.has({ ...live, id, user })) this.#end(id);
    }
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
    const { keys } = this.#options;
    for (const [token, { session, key }] of this.#opened) {
      if (session.expiresAt <= now || !keys.has(key)) this.#opened.delete(token);
    }
    for (const [id, { expiresAt, key }] of this.#live) if (expiresAt <= now || !keys.has(key)) this.#end(id);
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}
