import type { Job, Work } from '../pool/job.js';
import type { NewestInSlot } from '../pool/newest-in-slot.js';
import type { Shared } from '../pool/shared-job.js';
import { refusedBefore } from '../session/proofs.js';
import { type Session, serverGone } from '../session/session.js';
import type { AccountRunner, Services } from './context.js';

/**
 * The account of a session as handlers see it. It is found when there is work: what needs no connection goes on with
 * credentials that the server refuses now. Folders and watches keep it for hours, so it holds nothing of the request.
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
    return this.#account.slots;
  }

  async run<T>(job: Job, work: Work<T>): Promise<T> {
    return this.#account.run(job, work);
  }

  async share<T>(key: string, job: Job, work: Work<T>, options: { maxAgeMs: number }): Promise<Shared<T>> {
    return this.#account.share(key, job, work, options);
  }

  get #account(): AccountRunner {
    const { registry, servers, proofs } = this.#services;
    const { accountKey, tenant, user, secret } = this.#session;
    const known = registry.get(accountKey);
    if (known) return known;
    const server = servers.get(this.#session.server);
    if (!server) throw serverGone();
    if (proofs.isWrong(accountKey, secret)) throw refusedBefore(secret);
    return registry.adopt({ tenant, server, user }, { user, ...secret });
  }
}
