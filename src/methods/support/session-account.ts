import type { Credentials } from '../../imap/login/server-options.js';
import type { Account } from '../../pool/account.js';
import type { Job, Work } from '../../pool/job.js';
import type { NewestInSlot } from '../../pool/queue/newest-in-slot.js';
import type { Shared } from '../../pool/share/shared-job.js';
import { refusedBefore } from '../../session/proofs.js';
import { type Secret, type Session, serverGone } from '../../session/session.js';
import type { AccountHandle } from '../../watch/types.js';
import type { AccountRunner, Services } from '../context.js';

/** What is needed of a request to prove credentials by a login. */
type Asking = Pick<Job, 'label' | 'signal' | 'deadlineAt'>;

/** Thrown by work that was about to begin although its session must prove itself anew. */
const DOUBTED = Symbol('doubted');

/**
 * The account of a session as handlers see it. What a session may do stands on its own proof: the server may refuse its
 * credentials while it still takes those of other sessions of the account. Work that waited is not begun when its session
 * has ended meanwhile.
 */
export class SessionAccount implements AccountRunner {
  readonly #services: Services;
  readonly #session: Session;

  constructor(services: Services, session: Session) {
    this.#services = services;
    this.#session = session;
  }

  get key(): string {
    return this.#session.accountKey;
  }

  get budget(): number | undefined {
    return this.#services.registry.get(this.key)?.budget;
  }

  get slots(): NewestInSlot {
    const { registry } = this.#services;
    return (registry.get(this.key) ?? registry.adopt(this.#name, this.#credentials)).slots;
  }

  /**
   * Makes sure that the session's credentials have proven the account, by a login where it takes one. While the
   * account has no credentials yet, the first use of a connection is the proof.
   * @throws BrokerError IMAP_AUTH_FAILED, IMAP_TOKEN_EXPIRED, SESSION_EXPIRED, or what the login throws
   */
  async stand(asking: Asking): Promise<void> {
    const { registry, proofs, sessions } = this.#services;
    const secret = this.#secret;
    if (proofs.isWrong(this.key, secret)) throw refusedBefore(secret);
    const known = registry.get(this.key);
    const credentials = this.#credentials;
    if (!known || known.admits(credentials)) return;
    const login = async () => {
      await registry.prove(this.#name, credentials, { ...asking, effect: 'read' });
    };
    await admitting(this.#services, this.key, async () => {
      await proofs.prove(this.key, secret, asking.signal, login);
      sessions.check(this.#session);
      registry.adopt(this.#name, credentials, true);
    });
  }

  async run<T>(job: Job, work: Work<T>): Promise<T> {
    return await this.#begin(job, (account, credentials) =>
      account.run({ ...job, credentials }, async (connection, lease) => {
        this.#services.sessions.check(this.#session);
        if (!account.admits(credentials)) throw DOUBTED;
        return await work(connection, lease);
      }),
    );
  }

  async share<T>(key: string, job: Job, work: Work<T>, options: { maxAgeMs: number }): Promise<Shared<T>> {
    return await this.#begin(job, async (account, credentials) => {
      const ask: Work<T> = async (connection, lease) => {
        if (!account.admits(credentials)) throw DOUBTED;
        return await work(connection, lease);
      };
      const shared = await account.share(key, { ...job, credentials }, ask, options);
      // Other requests may wait for the same read: the answer to this request alone is withheld when its session has ended.
      this.#services.sessions.check(this.#session);
      return shared;
    });
  }

  /** Each turn but the last costs a login, under the deadline of the job. */
  async #begin<T>(job: Job, work: (account: Account, credentials: Credentials) => Promise<T>): Promise<T> {
    for (;;) {
      await this.stand(job);
      const { registry, sessions } = this.#services;
      sessions.check(this.#session);
      const credentials = this.#credentials;
      const account = registry.get(this.key) ?? registry.adopt(this.#name, credentials);
      try {
        return await work(account, credentials);
      } catch (error) {
        if (error !== DOUBTED) throw error;
      }
    }
  }

  get #secret(): Secret {
    return this.#services.sessions.newestSecret(this.#session);
  }

  get #credentials(): Credentials {
    return { user: this.#session.user, ...this.#secret };
  }

  get #name() {
    const { tenant, user, server: name } = this.#session;
    const server = this.#services.servers.get(name);
    if (!server) throw serverGone();
    return { tenant, server, user };
  }
}

/**
 * The account of a watch, which several sessions may share: the watch goes on with the credentials of any session that
 * is left, and ends with the last session.
 */
export class WatchedAccount implements AccountHandle {
  readonly #services: Services;
  readonly #own: SessionAccount;

  constructor(services: Services, session: Session) {
    this.#services = services;
    this.#own = new SessionAccount(services, session);
  }

  get key(): string {
    return this.#own.key;
  }

  get slots(): NewestInSlot {
    return this.#own.slots;
  }

  run<T>(job: Job, work: Work<T>): Promise<T> {
    const account = this.#services.registry.get(this.key);
    return account ? account.run(job, work) : this.#own.run(job, work);
  }
}

/** Keeps an account while a session of it is opened or proven; drops the account if it has no session afterwards. */
export async function admitting<T>(
  { registry, sessions }: Services,
  accountKey: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await registry.hold(accountKey, work);
  } finally {
    if (!sessions.hasAccount(accountKey)) void registry.close(accountKey);
  }
}
