import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials } from '../../imap/login/server-options.js';
import { isRefusedLogin, refusedError, saysFull, saysTooMany } from '../account-errors.js';
import type { Job } from '../job.js';
import type { Stoppers } from '../lease/stoppers.js';
import type { WaitQueue } from '../queue/wait-queue.js';
import type { Backoff, Backoffs } from './backoffs.js';
import { isSameCredentials, Proven } from './proven.js';
import type { SuppliedConnections } from './supplied-connections.js';

/** Milliseconds without a new login after one failed, while the account has other connections. */
const FAILED_PAUSE_MS = 2_000;

export interface LoginsOptions {
  /** The key of the account. */
  key: string;
  backoffs: Backoffs;
  supplied: SuppliedConnections;
  queue: WaitQueue;
  stoppers: Stoppers;
  /** A connection was made for the job at the head of the queue. @param loginMs time that its login took */
  onMade(connection: ImapConnection, loginMs: number): Promise<void>;
  /** A slot that was taken for a connection is not needed: the login failed. */
  onFailed(): void;
  /** The account may log in again. */
  onResume(): void;
  /** The server refused credentials that it accepted before. */
  onRefused(credentials: Credentials): void;
  /** Credentials must be proven anew. */
  onDoubted(credentials: Credentials): void;
}

/** How an account gets new connections: with which credentials, and what a failed login means to waiting jobs. */
export class Logins {
  readonly proven: Proven;
  readonly #options: LoginsOptions;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.proven = new Proven((credentials) => options.onDoubted(credentials));
  }

  /** Whether the account makes no new connections for now. */
  get paused(): boolean {
    return this.#pause !== undefined || this.backoff !== undefined;
  }

  /** Why no login is tried for now; undefined where a login may be tried. */
  get backoff(): Backoff | undefined {
    return this.#options.backoffs.of(this.#options.key);
  }

  /** Makes a connection, in a slot that was taken for it, for the job at the head of the queue once it is ready. */
  async supply(): Promise<void> {
    const { key, backoffs, supplied, stoppers, onMade, onFailed } = this.#options;
    const credentials = this.proven.current;
    const stopper = stoppers.begin();
    const begun = performance.now();
    try {
      if (!credentials) throw refusedError();
      const connection = await supplied.open(credentials, stopper.signal);
      backoffs.succeeded(key);
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
    const { key, backoffs, supplied, stoppers, onFailed } = this.#options;
    const stopper = stoppers.begin(job);
    try {
      const connection = await supplied.open(credentials, stopper.signal);
      backoffs.succeeded(key);
      this.proven.proved(credentials);
      this.proven.opened(connection, credentials);
      return connection;
    } catch (failure) {
      const error = backoffs.failed(key, failure);
      if (isRefusedLogin(error)) this.proven.refused(credentials);
      this.backOff();
      onFailed();
      throw error;
    } finally {
      stoppers.end(stopper);
    }
  }

  /** Rejects waiting jobs while the account backs off, except those that may still get a connection. */
  backOff(): void {
    const { backoff } = this;
    if (!backoff || this.#closed) return;
    const { supplied, queue } = this.#options;
    const { error, reason } = backoff;
    for (const place of queue.all) place.obstacle = error;
    if (supplied.size === 0 || reason !== 'connections') queue.rejectSlots(error);
    if (supplied.size === 0 && reason !== 'connections') queue.rejectLoans(error);
    this.#rest(error.retryAfterMs ?? 0);
  }

  #rest(ms: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      // A request that still waits has another reason from now on.
      for (const place of this.#options.queue.all) place.obstacle = undefined;
      this.#options.onResume();
    }, ms);
  }

  /** From now on failed logins are not reported to waiting jobs. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  /** Rejects the waiting jobs that a failed login concerns, before the freed slot is used to try the same again. */
  #cannotSupply(failure: unknown, credentials: Credentials | undefined): void {
    if (this.#closed) return;
    const { key, backoffs, supplied, queue, onRefused } = this.#options;
    const error = backoffs.failed(key, failure);
    if (saysTooMany(error)) supplied.budget.refused(supplied.connections.size);
    if (isRefusedLogin(error)) {
      // Another login with the same credentials would fail as well, and servers punish repetition.
      if (credentials) {
        this.proven.refused(credentials);
        onRefused(credentials);
      }
      const others = this.proven.current !== undefined;
      const own = ({ credentials: given }: Job) => given && credentials && isSameCredentials(given, credentials);
      // Jobs with other credentials are served by a login with those.
      queue.rejectLoans(error, (job) => !others || own(job) === true);
    } else if (this.backoff) {
      this.backOff();
    } else if (!saysFull(error)) {
      // The account's other connections will be free again: to wait is better than to fail. Where the server allows the
      // whole broker no more connections, jobs wait for a slot.
      if (supplied.size === 0) queue.rejectLoans(error);
      else this.#rest(FAILED_PAUSE_MS);
    }
  }
}
