import type { ImapConnection } from '../../../imap/connection/connection.js';
import { deadlineError } from '../../../pool/account-errors.js';
import type { Job } from '../../../pool/job.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { SessionContext } from '../../context.js';
import { inPieces } from '../../support/in-pieces.js';
import { jobOf } from '../../support/job.js';

/** Does a piece of a search on a connection. When it is repeated on another connection, it gets the same piece. */
export type PieceWork<T> = (connection: ImapConnection, piece: readonly T[]) => Promise<void>;

/** How many items a piece has: at first, and at most. */
export interface PieceSize {
  first: number;
  most: number;
}

/** The connections that a search has. */
export interface SearchConnections {
  /**
   * Works off the items in pieces, in any order. A piece with which connections are lost may be given up without an error.
   * @param by `Date.now()` when it has to end
   * @throws BrokerError DEADLINE at that time, and what the work throws; some pieces may be done then
   */
  each<T>(items: readonly T[], size: PieceSize, by: number, work: PieceWork<T>): Promise<void>;
}

/** The connection that a job has already. */
export class LentConnection implements SearchConnections {
  readonly #connection: ImapConnection;

  constructor(connection: ImapConnection) {
    this.#connection = connection;
  }

  async each<T>(items: readonly T[], { most }: PieceSize, by: number, work: PieceWork<T>): Promise<void> {
    for (const piece of inPieces(items, most)) await endingBy(by, work(this.#connection, piece));
  }
}

/** A piece below so many milliseconds is followed by one of twice the size; one above the other by one of half of it. */
const [QUICK_MS, SLOW_MS] = [300, 600];
/** Pieces that may be given up, because connections were lost with them, before the rest is. */
const MOST_LOST = 2;

/**
 * Connections of the account, each lent for one piece at a time, so that other requests of the user wait for a piece at
 * most. More than one piece is dealt to two connections, of which the second is one that no other request waits for.
 */
export class DealtConnections implements SearchConnections {
  readonly #context: SessionContext;
  #begun = false;
  #lost = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async each<T>(items: readonly T[], size: PieceSize, by: number, work: PieceWork<T>): Promise<void> {
    const deal = new Deal(items, size, by, work);
    const helper = items.length > size.first ? new Helper(this.#context, deal) : undefined;
    try {
      do await this.#workOff(deal, by);
      while ((await helper?.end()) && deal.left);
    } finally {
      await helper?.end();
    }
  }

  async #workOff<T>(deal: Deal<T>, by: number): Promise<void> {
    while (deal.left) {
      if (Date.now() >= by) throw deadlineError();
      let piece: T[] | undefined;
      try {
        await this.#context.account.run(this.#job(by), async (connection) => {
          piece ??= deal.take();
          await deal.do(connection, piece);
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

/** The items that are left, dealt in pieces as large as the server is fast: others wait for one piece at most. */
class Deal<T> {
  readonly by: number;
  readonly #items: T[];
  readonly #most: number;
  readonly #work: PieceWork<T>;
  #size: number;

  constructor(items: readonly T[], { first, most }: PieceSize, by: number, work: PieceWork<T>) {
    this.#items = [...items];
    this.#size = first;
    this.#most = most;
    this.#work = work;
    this.by = by;
  }

  get left(): boolean {
    return this.#items.length > 0;
  }

  take(): T[] {
    return this.#items.splice(0, this.#size);
  }

  giveBack(piece: readonly T[]): void {
    this.#items.unshift(...piece);
  }

  async do(connection: ImapConnection, piece: readonly T[]): Promise<void> {
    if (piece.length === 0) return;
    const begunAt = performance.now();
    await endingBy(this.by, this.#work(connection, piece));
    const tookMs = performance.now() - begunAt;
    if (tookMs < QUICK_MS) this.#size = Math.min(this.#most, Math.max(this.#size, piece.length * 2));
    if (tookMs > SLOW_MS) this.#size = Math.max(1, Math.min(this.#size, piece.length >> 1));
  }
}

/** Works off pieces on a second connection, as long as it gets one before the first connection is done. */
class Helper<T> {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #piece: T[] = [];
  #ending = false;

  constructor(context: SessionContext, deal: Deal<T>) {
    const signal = AbortSignal.any([context.signal, this.#stop.signal]);
    const { label, effect } = jobOf(context, { effect: 'read' });
    const job: Job = { label, effect, prefers: isFree, lane: 'bulk', signal, deadlineAt: deal.by };
    // The first connection does what this one could not, and hears of what is wrong.
    this.#done = this.#help(context, deal, job).catch(() => deal.giveBack(this.#piece));
  }

  /** Takes no more pieces, and waits for the one that it has; where that one failed, it is among the rest. Never rejects. */
  async end(): Promise<true> {
    this.#ending = true;
    if (this.#piece.length === 0) this.#stop.abort(new BrokerError('CANCELLED', 'The search is done.'));
    await this.#done;
    return true;
  }

  async #help(context: SessionContext, deal: Deal<T>, job: Job): Promise<void> {
    while (deal.left && !this.#ending) {
      await context.account.run(job, async (connection) => {
        if (this.#piece.length === 0) this.#piece = deal.take();
        await deal.do(connection, this.#piece);
      });
      this.#piece = [];
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
