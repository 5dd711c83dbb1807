import type { ImapConnection } from '../imap/connection.js';
import type { Account } from '../pool/account.js';
import type { Job } from '../pool/job.js';
import { BrokerError } from '../protocol/errors.js';
import { type MailboxView, now } from './mailbox-view.js';
import { placeView } from './place-view.js';

/** What a reader needs of an account: leases. */
export type Leases = Pick<Account, 'run'>;

/** Where an answer comes from; the contract's `meta`. */
export interface Origin {
  source: 'server' | 'validated' | 'cache' | 'coalesced';
  /** When the server last confirmed it. */
  asOf: Date;
  lagMs?: number | undefined;
}

export interface Read<T> {
  value: T;
  origin: Origin;
}

/** Something to be read from a folder. */
export interface Question<T> {
  /** Questions of the same key have the same answer. */
  key: string;
  job: Job;
  /** How old an answer from memory may be, in milliseconds. */
  maxAgeMs: number;
  /** The answer from memory, where all of it is there. */
  known(view: MailboxView): T | undefined;
  /** Fetches what is missing, on the connection that the view follows. */
  fetch(view: MailboxView, connection: ImapConnection): Promise<T>;
}

interface Asker {
  resolve(read: Read<unknown>): void;
  reject(error: unknown): void;
}

/** A question with all who wait for its answer. */
interface Group {
  question: Question<unknown>;
  askers: Set<Asker>;
  /** The longest that anybody wants to wait. */
  deadlineAt: number;
}

/** A watch of the folder, for as long as it is known to be alive. */
export interface Liveness {
  lagMs: number;
}

/** Messages whose flags are asked for again where the server does not tell changes. */
const MOST_FLAGS = 500;

/**
 * Answers what is read from one folder of an account. All that is asked meanwhile shares the next lease and its one
 * barrier: whatever the storm, the server sees one NOOP at a time, and each answer was confirmed after its question.
 */
export class MailboxReader {
  readonly mailbox: string;
  readonly view: MailboxView;
  /** Set by a watch. */
  liveness: (() => Liveness | undefined) | undefined;
  /** Messages whose flags stay known where the server does not tell changes. */
  mostFlags = MOST_FLAGS;
  readonly #onGrown: () => void;
  readonly #waiting = new Map<string, Group>();
  #active: Group[] = [];
  #running = false;
  #abort = new AbortController();

  /** @param onGrown called when the view may have grown */
  constructor(mailbox: string, view: MailboxView, onGrown: () => void) {
    this.mailbox = mailbox;
    this.view = view;
    this.#onGrown = onGrown;
  }

  /**
   * Answers a question: from memory when the caller allows it, else confirmed by the server.
   * @throws BrokerError NOT_FOUND, what `run` of the account throws, or what the question throws
   */
  async read<T>(leases: Leases, question: Question<T>): Promise<Read<T>> {
    const remembered = question.maxAgeMs > 0 ? this.#remembered(question) : undefined;
    if (remembered) return remembered;
    return (await this.#ask(leases, question as Question<unknown>)) as Read<T>;
  }

  #remembered<T>(question: Question<T>): Read<T> | undefined {
    const { view } = this;
    const alive = this.liveness?.();
    const { at, date } = view.confirmed;
    if (view.outdated || !(alive || performance.now() - at <= question.maxAgeMs)) return undefined;
    const value = question.known(view);
    if (value === undefined) return undefined;
    return { value, origin: { source: 'cache', asOf: new Date(date), lagMs: alive?.lagMs } };
  }

  #ask(leases: Leases, question: Question<unknown>): Promise<Read<unknown>> {
    const { signal, deadlineAt } = question.job;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const group: Group = this.#waiting.get(question.key) ?? { question, askers: new Set(), deadlineAt };
      this.#waiting.set(question.key, group);
      group.deadlineAt = Math.max(group.deadlineAt, deadlineAt);
      const onAbort = () => {
        group.askers.delete(asker);
        reject(signal.reason);
        this.#dropUnasked();
      };
      const asker: Asker = {
        resolve: (read) => {
          signal.removeEventListener('abort', onAbort);
          resolve(read);
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort);
      group.askers.add(asker);
      if (!this.#running) void this.#run(leases, question.job);
    });
  }

  /** Nobody waits any more: a job that is queued for them leaves the queue; one that runs is soon done. */
  #dropUnasked(): void {
    for (const [key, { askers }] of this.#waiting) if (askers.size === 0) this.#waiting.delete(key);
    if (this.#waiting.size === 0 && this.#active.length === 0) {
      this.#abort.abort(new BrokerError('CANCELLED', 'Nobody waits for it any more.'));
    }
  }

  async #run(leases: Leases, { label }: Job): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      this.#abort = new AbortController();
      const job: Job = {
        label,
        effect: 'read',
        mailbox: this.mailbox,
        signal: this.#abort.signal,
        deadlineAt: Math.max(...[...this.#waiting.values()].map(({ deadlineAt }) => deadlineAt)),
      };
      try {
        await leases.run(job, (connection) => this.#answer(connection));
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = false;
  }

  /** Everybody who waits when a job fails would see the next one fail as well; but some have more time than it had. */
  #fail(error: unknown): void {
    const late = error instanceof BrokerError && error.kind === 'DEADLINE';
    const groups = [...this.#active, ...this.#waiting.values()];
    this.#active = [];
    this.#waiting.clear();
    for (const group of groups) {
      if (late && group.deadlineAt > Date.now()) this.#waiting.set(group.question.key, group);
      else for (const asker of group.askers) asker.reject(error);
    }
  }

  /** Runs again with what is left when the connection is lost. */
  async #answer(connection: ImapConnection): Promise<void> {
    this.#active.push(...this.#waiting.values());
    this.#waiting.clear();
    try {
      await this.#confirm(connection);
    } catch (error) {
      if (isLost(error) || !connection.usable) throw error;
      this.#fail(error);
      return;
    }
    for (let group = this.#active[0]; group; group = this.#active[0]) {
      if (group.askers.size > 0) await this.#answerGroup(group, connection);
      this.#active.shift();
    }
    this.#onGrown();
  }

  async #answerGroup({ question, askers }: Group, connection: ImapConnection): Promise<void> {
    let read: Read<unknown>;
    try {
      const known = question.known(this.view);
      const value = known ?? (await question.fetch(this.view, connection));
      read = { value, origin: { source: known === undefined ? 'server' : 'validated', asOf: this.view.asOf } };
    } catch (error) {
      if (isLost(error) || !connection.usable) throw error;
      for (const asker of askers) asker.reject(error);
      return;
    }
    let shared = false;
    for (const asker of askers) {
      asker.resolve(shared ? { value: read.value, origin: { ...read.origin, source: 'coalesced' } } : read);
      shared = true;
    }
  }

  async #confirm(connection: ImapConnection): Promise<void> {
    const { view } = this;
    const begun = now();
    const stays = view.placed && connection.isFollowedBy(view);
    if (stays && (await connection.refresh())) {
      view.confirm(begun);
      return;
    }
    if (stays) view.abandon();
    await placeView(view, connection, this.mailbox, this.mostFlags);
    view.confirm(begun);
  }
}

function isLost(error: unknown): boolean {
  return error instanceof BrokerError && error.kind === 'CONNECTION_LOST';
}
