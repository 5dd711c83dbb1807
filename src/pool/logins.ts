import type { ImapConnection } from '../imap/connection.js';
import type { Credentials } from '../imap/server-options.js';
import { isRefusedLogin, refusedError } from './account-errors.js';
import { saysTooMany } from './budget.js';
import type { Holding } from './holding.js';
import type { Job } from './job.js';
import { isSame, Proven } from './proven.js';
import type { Stoppers } from './stoppers.js';
import type { WaitQueue } from './wait-queue.js';

/** Milliseconds that an account lives on the connections it has after the server refused it one more. */
const REFUSED_PAUSE_MS = 2_000;

export interface LoginsOptions {
  holding: Holding;
  queue: WaitQueue;
  stoppers: Stoppers;
  /** A connection is there, made for whoever is first in the queue, by a login that took so long. */
  onMade(connection: ImapConnection, loginMs: number): Promise<void>;
  /** A slot that was taken for a connection is not needed. */
  onFailed(): void;
  /** The account no longer has to live on what it has. */
  onResume(): void;
  /** The server refused credentials that it took before. */
  onRefused(credentials: Credentials): void;
  /** Credentials must be proven anew. */
  onDoubted(credentials: Credentials): void;
}

/** How an account gets new connections: with which credentials, and what a failure means to those who wait. */
export class Logins {
  readonly proven: Proven;
  readonly #options: LoginsOptions;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.proven = new Proven((credentials) => options.onDoubted(credentials));
  }

  /** Whether the account is to live on the connections that it has for a while. */
  get paused(): boolean {
    return this.#pause !== undefined;
  }

  /** Makes one connection, in a slot that was taken for it, for whoever is first in the queue when it is ready. */
  async supply(): Promise<void> {
    const { holding, stoppers, onMade, onFailed } = this.#options;
    const credentials = this.proven.current;
    const stopper = stoppers.begin();
    const begun = performance.now();
    try {
      if (!credentials) throw refusedError();
      const connection = await holding.open(credentials, stopper.signal);
      this.proven.opened(connection, credentials);
      await onMade(connection, performance.now() - begun);
    } catch (error) {
      this.#cannotSupply(error, credentials);
      onFailed();
    } finally {
      stoppers.end(stopper);
    }
  }

  /** Makes a connection with credentials that are to be proven, in a slot that was taken for it. */
  async prove(credentials: Credentials, job: Job): Promise<ImapConnection> {
    const { holding, stoppers, onFailed } = this.#options;
    const stopper = stoppers.begin(job);
    try {
      const connection = await holding.open(credentials, stopper.signal);
      this.proven.proved(credentials);
      this.proven.opened(connection, credentials);
      return connection;
    } catch (error) {
      if (isRefusedLogin(error)) this.proven.refused(credentials);
      onFailed();
      throw error;
    } finally {
      stoppers.end(stopper);
    }
  }

  /** From now on failures are nobody's business. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  /** Tells who waits what they need to know, before a slot that is free tempts the next to try the same. */
  #cannotSupply(error: unknown, credentials: Credentials | undefined): void {
    if (this.#closed) return;
    const { holding, queue, onRefused, onResume } = this.#options;
    const tooMany = saysTooMany(error);
    if (tooMany) holding.budget.refused(holding.connections.size);
    if (isRefusedLogin(error)) {
      // Another login with the same credentials would fail as well, and servers punish repetition.
      if (credentials) {
        this.proven.refused(credentials);
        onRefused(credentials);
      }
      const others = this.proven.current !== undefined;
      const own = ({ credentials: given }: Job) => given && credentials && isSame(given, credentials);
      // Who stands on other credentials is served by a login with those.
      queue.rejectLoans(error, (job) => !others || own(job) === true);
    } else if (holding.size === 0 && !tooMany) {
      queue.rejectLoans(error);
    } else {
      // Those that there are, here or on the user's phone, will be free again: to wait is better than to fail.
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        onResume();
      }, REFUSED_PAUSE_MS);
    }
  }
}
