import type { ImapConnection } from '../imap/connection/connection.js';
import { refreshWith } from '../imap/connection/refresh-with.js';
import { isPassing } from '../imap/connection/refused-folder.js';
import { isRefusal } from '../imap/mailboxes/mailbox-status.js';
import type { Account } from '../pool/account.js';
import type { Job } from '../pool/job.js';
import { SharedJob } from '../pool/share/shared-job.js';
import { BrokerError } from '../protocol/errors.js';
import { type Moment, now } from '../runtime/moment.js';
import { Trace } from '../runtime/trace.js';
import type { MailboxView } from './mailbox-view.js';
import { placeView } from './place-view.js';

/** What a reader needs from an account. */
export type Leases = Pick<Account, 'run' | 'slots'>;

/** Where an answer comes from; the contract's `meta`. */
export interface Origin {
  source: 'server' | 'validated' | 'cache' | 'coalesced';
  /** When the server last confirmed the answer. */
  asOf: Date;
  lagMs?: number | undefined;
}

export interface Read<T> {
  value: T;
  origin: Origin;
}

/** A request to read from a folder. */
export interface Question<T> {
  /** Questions with the same key have the same answer. */
  key: string;
  job: Job;
  /** How old an answer from memory may be, in milliseconds. */
  maxAgeMs: number;
  /** The answer from memory; undefined unless all of it is there. */
  fromMemory(view: MailboxView): T | undefined;
  /**
   * Fetches immutable data that `known` lacks, where nothing else is missing: the command is sent together with the one
   * that checks whether the view is up to date. Undefined where there is nothing to fetch.
   */
  ahead?(view: MailboxView, connection: ImapConnection): (() => Promise<void>) | undefined;
  /** Fetches what is missing, on the connection that the view follows. */
  fetch(view: MailboxView, connection: ImapConnection): Promise<T>;
}

/** A question with all requests that wait for its answer. */
interface Group {
  question: Question<unknown>;
  askers: SharedJob;
  /** `performance.now()` of the last request that asked the question. */
  askedAt: number;
}

/**
 * How often a view was confirmed for a request: by the end of an IDLE (`idle`), by a NOOP where the connection had the
 * folder selected (`noop`), or by a SELECT (`select`).
 */
export interface Confirmations {
  idle: number;
  noop: number;
  select: number;
}

/** The holder of a connection that follows the view, on which it answers when called: {@link MailboxReader.serve}. */
export interface ConnectionHolder {
  call(): void;
}

/** The lag of a watch of the folder, while the watch is known to be alive. */
export interface Liveness {
  lagMs: number;
}

/** Messages whose flags are fetched again where the server does not report changes (neither QRESYNC nor CONDSTORE). */
const MOST_FLAGS = 500;
/** Grace for running work after its last request has left: to stop it at once would cost the connection. */
const DESERTED_MS = 2_000;

/**
 * Answers questions about one folder of an account. Questions that arrive while one lease is at work share the next
 * lease and its single barrier: under any load the server sees one NOOP at a time, and each answer is confirmed after
 * its question was asked.
 */
export class MailboxReader {
  readonly mailbox: string;
  readonly view: MailboxView;
  /** Set by a watch. */
  liveness: (() => Liveness | undefined) | undefined;
  /** Called when the server has confirmed the view. */
  onConfirmed: (() => void) | undefined;
  /** Called when a request of this account has written to the folder. */
  onWritten: (() => void) | undefined;
  /** Messages whose flags stay known where the server does not report changes; set by a watch. */
  mostFlags: number | undefined;
  readonly #onGrown: () => void;
  readonly #confirmations: Confirmations;
  readonly #waiting = new Map<string, Group>();
  #active: Group[] = [];
  #running: 'lease' | 'holder' | undefined;
  #holder: ConnectionHolder | undefined;
  #leases: Leases | undefined;
  /** Ends the running work. Undefined while no work runs: thousands of controllers would be held for nothing. */
  #abort: AbortController | undefined;
  #deserted: NodeJS.Timeout | undefined;

  /**
   * @param onGrown called when the view may have grown
   * @param confirmations counters of how views were confirmed
   */
  constructor(mailbox: string, view: MailboxView, onGrown: () => void, confirmations: Confirmations) {
    this.mailbox = mailbox;
    this.view = view;
    view.name = mailbox;
    this.#onGrown = onGrown;
    this.#confirmations = confirmations;
  }

  /** Whether the reader is at work on the view. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Answers a question: from memory when the caller allows it, else confirmed by the server.
   * @throws BrokerError NOT_FOUND, what `run` of the account throws, or what the question throws
   */
  async read<T>(leases: Leases, question: Question<T>): Promise<Read<T>> {
    question.job.signal.throwIfAborted();
    const remembered = question.maxAgeMs > 0 ? this.#remembered(question) : undefined;
    if (remembered) return remembered;
    const group = this.#waiting.get(question.key) ?? this.#newGroup(leases, question as Question<unknown>);
    group.askedAt = performance.now();
    const answer = group.askers.join<Read<T>>(question.job);
    this.#leases = leases;
    this.#start();
    const { value: read, coalesced } = await answer;
    return coalesced ? { value: read.value, origin: { ...read.origin, source: 'coalesced' } } : read;
  }

  /** From now on the holder answers, until it calls {@link removeHolder}. */
  setHolder(holder: ConnectionHolder): void {
    this.#holder = holder;
  }

  /**
   * Makes the view follow the connection of a holder; until then it may have followed another.
   * @returns false while another connection is at work on the view
   * @throws BrokerError NOT_FOUND where there is no such folder, IMAP_NO where it cannot be opened now, CONNECTION_LOST
   */
  async moveTo(connection: ImapConnection): Promise<boolean> {
    if (connection.isFollowedBy(this.view)) return true;
    if (this.#running !== undefined) return false;
    this.#running = 'holder';
    try {
      await this.#place(connection, now());
    } finally {
      this.#running = undefined;
      this.#start();
    }
    this.onConfirmed?.();
    return true;
  }

  /** The holder cannot answer any more: its unanswered questions are answered by leases. */
  removeHolder(holder: ConnectionHolder): void {
    if (this.#holder !== holder) return;
    this.#holder = undefined;
    if (this.#running !== 'holder') return;
    this.#running = undefined;
    this.#start();
  }

  /**
   * Answers all waiting questions on the connection of the holder, unless a lease answers them: a view that is placed on
   * two connections at once loses what one of them reports.
   * @throws BrokerError CONNECTION_LOST
   */
  async serve(connection: ImapConnection): Promise<void> {
    if (this.#running !== 'holder') return;
    const trace = new Trace();
    this.#abort = new AbortController();
    const end = () => connection.close();
    this.#abort.signal.addEventListener('abort', end);
    connection.trace = trace;
    trace.begin(connection, 0, 0);
    try {
      while (this.#isAsked) await this.#answer(connection, trace);
      if (this.#running === 'holder') this.#running = undefined;
    } finally {
      trace.end();
      connection.trace = undefined;
      this.#active = this.#active.filter(isWanted);
      this.#endDesertion();
    }
  }

  get #isAsked(): boolean {
    return this.#waiting.size > 0 || this.#active.some(isWanted);
  }

  #start(): void {
    if (this.#running !== undefined || !this.#isAsked) return;
    if (this.#holder) {
      this.#running = 'holder';
      this.#holder.call();
    } else if (this.#leases) {
      void this.#run(this.#leases);
    }
  }

  #remembered<T>(question: Question<T>): Read<T> | undefined {
    const { view } = this;
    const alive = this.liveness?.();
    if (view.outdated || view.unsure || !(alive || performance.now() - view.confirmed.at <= question.maxAgeMs))
      return undefined;
    const value = question.fromMemory(view);
    if (value === undefined) return undefined;
    return { value, origin: { source: 'cache', asOf: view.asOf, lagMs: alive?.lagMs } };
  }

  #newGroup({ slots }: Leases, question: Question<unknown>): Group {
    const { key, job } = question;
    const group: Group = { question, askers: new SharedJob(job, slots, () => this.#onDeserted(group)), askedAt: 0 };
    this.#waiting.set(key, group);
    return group;
  }

  #onDeserted(group: Group): void {
    if (this.#waiting.get(group.question.key) === group) this.#waiting.delete(group.question.key);
    if (this.#isAsked) return;
    if (this.#active.length === 0) this.#endDeserted();
    else this.#deserted ??= setTimeout(() => this.#endDeserted(), DESERTED_MS);
  }

  /** Ends the running work. Requests that have come since it was deserted get work of their own: see {@link #run}. */
  #endDeserted(): void {
    this.#deserted = undefined;
    if (this.#active.some(isWanted)) return;
    this.#abort?.abort(new BrokerError('CANCELLED', 'No request waits for the answer any more.'));
  }

  #endDesertion(): void {
    clearTimeout(this.#deserted);
    this.#deserted = undefined;
    this.#abort = undefined;
  }

  async #run(leases: Leases): Promise<void> {
    this.#running = 'lease';
    while (this.#isAsked) {
      const abort = new AbortController();
      const { signal } = abort;
      this.#abort = abort;
      const trace = new Trace();
      const job: Job = {
        label: [...this.#active, ...this.#waiting.values()][0]?.question.job.label ?? 'read',
        effect: 'read',
        mailbox: this.mailbox,
        prefers: (connection) => connection.isFollowedBy(this.view),
        trace,
        signal,
        // The waiting requests have their own deadlines; the job ends with the last of them.
        deadlineAt: Number.POSITIVE_INFINITY,
      };
      try {
        await leases.run(job, (connection) => this.#answer(connection, trace));
      } catch (error) {
        if (signal.aborted) this.#active = this.#active.filter(isWanted);
        else this.#fail(error);
      }
      this.#endDesertion();
    }
    this.#running = undefined;
  }

  /** Fails all waiting requests: the next job would fail as well. */
  #fail(error: unknown): void {
    const groups = [...this.#active, ...this.#waiting.values()];
    this.#active = [];
    this.#waiting.clear();
    for (const { askers } of groups) askers.failed(error);
  }

  /** Answers the waiting questions; when the connection is lost, called again for those that are left. */
  async #answer(connection: ImapConnection, trace: Trace): Promise<void> {
    const groups = [...this.#active.filter(isWanted), ...this.#waiting.values()];
    this.#active = [...groups];
    this.#waiting.clear();
    for (const { askers } of groups) askers.begin();
    const [first, another] = groups;
    // Reads ahead for a single question only: several would wait for each other's data.
    const ahead = another ? undefined : first?.question.ahead?.(this.view, connection);
    try {
      await this.#confirm(connection, ahead);
    } catch (error) {
      if (isLost(error) || !connection.usable) throw error;
      this.#fail(error);
      return;
    }
    for (const group of groups) {
      const lacked = group === first && ahead !== undefined;
      if (isWanted(group)) await this.#answerGroup(group, connection, trace, lacked);
      // Work that was ended may still come here, when other groups are at work.
      const at = this.#active.indexOf(group);
      if (at >= 0) this.#active.splice(at, 1);
    }
    this.#onGrown();
    this.onConfirmed?.();
  }

  async #answerGroup(
    { question, askers }: Group,
    connection: ImapConnection,
    trace: Trace,
    lacked: boolean,
  ): Promise<void> {
    try {
      const known = question.fromMemory(this.view);
      const value = known ?? (await question.fetch(this.view, connection));
      const source = known === undefined || lacked ? 'server' : 'validated';
      askers.trace.share(trace, trace.queueMs);
      askers.done({ value, origin: { source, asOf: this.view.asOf } } satisfies Read<unknown>);
    } catch (error) {
      if (isLost(error) || !connection.usable) throw error;
      askers.failed(error);
    }
  }

  async #confirm(connection: ImapConnection, ahead: (() => Promise<void>) | undefined): Promise<void> {
    const { view } = this;
    const begun = now();
    const stays = view.placed && connection.isFollowedBy(view);
    const askedAt = Math.max(...this.#active.map((group) => group.askedAt));
    // The end of an IDLE has confirmed the view already.
    if (stays && !connection.troubled && view.confirmed.at >= askedAt) {
      this.#confirmations.idle += 1;
      return;
    }
    if (stays && (await (ahead ? refreshWith(connection, ahead) : connection.refresh()))) {
      view.confirm(begun);
      this.#confirmations.noop += 1;
      return;
    }
    if (stays) view.abandon();
    await this.#place(connection, begun);
  }

  async #place(connection: ImapConnection, begun: Moment): Promise<void> {
    await placeView(this.view, connection, this.mailbox, this.mostFlags ?? MOST_FLAGS).catch((error: unknown) => {
      // The view is void when the folder is gone or denied, or when the server cannot resume from the view's state.
      if (isRefusal(error) && !isPassing(error)) this.view.abandon();
      // The view is not up to date with the selection; later answers must not take it for up to date.
      else connection.unfollow(this.view);
      throw error;
    });
    this.view.confirm(begun);
    this.#confirmations.select += 1;
  }
}

/** Whether a request still waits for the answer. */
function isWanted({ askers }: Group): boolean {
  return askers.size > 0;
}

function isLost(error: unknown): boolean {
  return error instanceof BrokerError && error.kind === 'CONNECTION_LOST';
}
