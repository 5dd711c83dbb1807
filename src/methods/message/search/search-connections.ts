import type { ImapConnection } from '../../../imap/connection/connection.js';
import { deadlineError } from '../../../pool/account-errors.js';
import type { Job } from '../../../pool/job.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { SessionContext } from '../../context.js';
import { jobOf } from '../../support/job.js';

/** Does a piece of a search on a connection. When it is repeated on another connection, it gets the same piece. */
export type PieceWork<T> = (connection: ImapConnection, piece: T) => Promise<void>;

/** The connections that a search has. */
export interface SearchConnections {
  /**
   * Works off the pieces, in any order. A piece with which connections are lost may be given up without an error.
   * @param by `Date.now()` when it has to end
   * @throws BrokerError DEADLINE at that time, and what the work throws; some pieces may be done then
   */
  each<T>(pieces: readonly T[], by: number, work: PieceWork<T>): Promise<void>;
}

/** The connection that a job has already. */
export class LentConnection implements SearchConnections {
  readonly #connection: ImapConnection;

  constructor(connection: ImapConnection) {
    this.#connection = connection;
  }

  async each<T>(pieces: readonly T[], by: number, work: PieceWork<T>): Promise<void> {
    for (const piece of pieces) await endingBy(by, work(this.#connection, piece));
  }
}

/** So many pieces are worth a second connection. */
const HELPED = 3;
/** Pieces that may be given up, because connections were lost with them, before the rest is. */
const MOST_LOST = 2;

/**
 * Connections of the account, each lent for one piece at a time, so that other requests of the user wait for a piece at
 * most. Many pieces are dealt to two connections, of which the second is one that no other request waits for.
 */
export class DealtConnections implements SearchConnections {
  readonly #context: SessionContext;
  #begun = false;
  #lost = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async each<T>(pieces: readonly T[], by: number, work: PieceWork<T>): Promise<void> {
    const left = [...pieces];
    const helper = pieces.length >= HELPED ? new Helper(this.#context, left, by, work) : undefined;
    try {
      do await this.#workOff(left, by, work);
      while ((await helper?.end()) && left.length > 0);
    } finally {
      await helper?.end();
    }
  }

  async #workOff<T>(left: T[], by: number, work: PieceWork<T>): Promise<void> {
    while (left.length > 0) {
      if (Date.now() >= by) throw deadlineError();
      let piece: T | undefined;
      try {
        await this.#context.account.run(this.#job(by), async (connection) => {
          piece ??= left.shift();
          if (piece !== undefined) await endingBy(by, work(connection, piece));
        });
      } catch (failure) {
        const lost = failure instanceof BrokerError && failure.kind === 'CONNECTION_LOST' && piece !== undefined;
        this.#lost += 1;
        if (!lost || this.#lost > MOST_LOST) throw failure;
      }
    }
  }

  #job(by: number): Job {
    const job = { ...jobOf(this.#context, { effect: 'read', prefers: isFree }), deadlineAt: by };
    // A search that has begun is not superseded any more.
    if (this.#begun) delete job.slot;
    this.#begun = true;
    return job;
  }
}

/** Works off pieces on a second connection, as long as it gets one before the first connection is done. */
class Helper<T> {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #piece: T | undefined;
  #ending = false;

  constructor(context: SessionContext, left: T[], by: number, work: PieceWork<T>) {
    const signal = AbortSignal.any([context.signal, this.#stop.signal]);
    const { label, effect } = jobOf(context, { effect: 'read' });
    const job: Job = { label, effect, prefers: isFree, lane: 'bulk', signal, deadlineAt: by };
    this.#done = this.#help(context, left, job, work).catch(() => {
      // The first connection does what this one could not, and hears of what is wrong.
      if (this.#piece !== undefined) left.unshift(this.#piece);
    });
  }

  /** Takes no more pieces, and waits for the one that it has; where that one failed, it is among the rest. Never rejects. */
  async end(): Promise<true> {
    this.#ending = true;
    if (this.#piece === undefined) this.#stop.abort(new BrokerError('CANCELLED', 'The search is done.'));
    await this.#done;
    return true;
  }

  async #help(context: SessionContext, left: T[], job: Job, work: PieceWork<T>): Promise<void> {
    while (left.length > 0 && !this.#ending) {
      await context.account.run(job, async (connection) => {
        this.#piece ??= left.shift();
        if (this.#piece !== undefined) await endingBy(job.deadlineAt, work(connection, this.#piece));
      });
      this.#piece = undefined;
    }
  }
}

/** Whether a connection has no folder selected: one that has is of more use to a request for that folder. */
function isFree(connection: ImapConnection): boolean {
  return connection.selected === undefined;
}

/** Waits for work until a time. @throws BrokerError DEADLINE; what the work comes to later counts for nothing */
async function endingBy<T>(by: number, work: Promise<T>): Promise<T> {
  if (by === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(deadlineError()), Math.max(0, by - Date.now()));
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
