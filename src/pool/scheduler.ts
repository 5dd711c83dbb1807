import type { ImapConnection } from '../imap/connection/connection.js';
import type { Job, Lane } from './job.js';
import type { ConnectionPool } from './lease/connection-pool.js';
import type { Loan } from './lease/loan.js';
import type { Loans } from './lease/loans.js';
import type { Place, WaitQueue } from './queue/wait-queue.js';
import type { Full } from './supply/caps.js';
import type { SuppliedConnections } from './supply/supplied-connections.js';

/** A job that has waited so many milliseconds is served next in its lane, whatever folder a connection has selected. */
const AGEING_MS = 250;

/** How well a connection suits a job. */
const fits = { any: 0, mailbox: 1, preferred: 2 } as const;

interface Match {
  place: Place;
  connection: ImapConnection;
  fit: number;
}

/** What the scheduler has the account do. */
export interface Actions {
  lend(place: Place, connection: ImapConnection): void;
  /** Opens a connection in a slot that was taken for it. */
  supply(): void;
  /** Ends an idle connection, or a watch's connection, so that its slot becomes free. */
  evict(): void;
  /** Asks a watch to give its connection back. */
  ask(loan: Loan): void;
  /** A cap shared with other accounts keeps a job from a connection. */
  needsRoom(full: Full): void;
  /** The same for a watch, for which no other account is to lose a connection. */
  watchNeedsRoom(): void;
  giveSlot(): void;
}

/** What the scheduler decides upon. */
export interface Scene {
  queue: WaitQueue;
  pool: ConnectionPool;
  loans: Loans;
  supplied: SuppliedConnections;
  /** Whether the account makes no new connections for now. */
  paused(): boolean;
  /** Whether a connection is being ended, so that a slot becomes free soon. */
  ending(): boolean;
}

/** Decides which job in an account's queue gets which connection, and when one is opened or asked back. */
export class Scheduler {
  readonly #scene: Scene;
  readonly #actions: Actions;
  /** Loans to watches that were asked back, each for one job, which waits for that connection only. */
  readonly #awaited = new Map<Loan, Place>();
  readonly #awaiting = new Set<Place>();
  #running = false;
  #again = false;

  constructor(scene: Scene, actions: Actions) {
    this.#scene = scene;
    this.#actions = actions;
  }

  /** Serves waiting jobs: with idle connections, else with new ones as far as the caps allow. */
  run(): void {
    this.#again = true;
    // The actions may call `run` again, for example when a watch gives its connection back at once.
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#serve();
      }
    } finally {
      this.#running = false;
    }
  }

  #serve(): void {
    const { queue } = this.#scene;
    const [first] = queue.of('interactive');
    const served = this.#serveLogins(first?.since);
    for (let match = this.#next(); match; match = this.#next()) {
      queue.leave(match.place);
      this.#actions.lend(match.place, match.connection);
    }
    this.#grow();
    if (served) this.#serveLogins();
  }

  /**
   * Gives slots to the logins that prove credentials.
   * @param before serves only logins that have waited since then or longer, by `performance.now()`
   * @returns whether all of those were served
   */
  #serveLogins(before = Number.POSITIVE_INFINITY): boolean {
    const { queue, supplied, loans, pool } = this.#scene;
    const { giveSlot, evict, needsRoom } = this.#actions;
    for (let [login] = queue.of('slot'); login && login.since <= before; [login] = queue.of('slot')) {
      if (supplied.takeSlot()) {
        queue.leave(login);
        if (!login.resolve(undefined)) giveSlot();
        continue;
      }
      const { full } = supplied;
      // Under a shared cap the registry makes room, under its own the account; one slot at a time is enough.
      if (full !== undefined && full !== 'account') needsRoom(full);
      else if (!this.#scene.ending() && (pool.idle.length > 0 || loans.oldestWatch)) evict();
      return false;
    }
    return true;
  }

  /** The next job that can have an idle connection, by lane. Also notes which jobs wait for a watch's connection. */
  #next(): Match | undefined {
    const { queue, pool } = this.#scene;
    this.#awaited.clear();
    this.#awaiting.clear();
    const [interactive, bulk, watch] = [queue.of('interactive'), queue.of('bulk'), queue.of('watch')];
    if (interactive.length + bulk.length + watch.length === 0) return undefined;
    const { idle } = pool;
    const bulkRoom = this.#bulkRoom;
    const match = this.#nextOf(interactive, idle) ?? (bulkRoom > 0 ? this.#nextOf(bulk, idle) : undefined);
    if (match) return match;
    const needed = interactive.length > 0 || queue.of('slot').length > 0 || (bulkRoom > 0 && bulk.length > 0);
    return needed ? undefined : this.#nextOf(watch, idle);
  }

  /** Further connections for bulk work, which takes the account's last one only if the account can have only one. */
  get #bulkRoom(): number {
    const { supplied, loans } = this.#scene;
    return Math.max(1, supplied.reach - 1) - loans.count('bulk');
  }

  #nextOf(lane: readonly Place[], idle: readonly ImapConnection[]): Match | undefined {
    const { loans } = this.#scene;
    const watches = lane[0]?.job.lane === 'watch' ? [] : loans.watches;
    if (idle.length === 0 && watches.length === 0) return undefined;
    let first: Match | undefined;
    for (const place of lane) {
      const match = bestOf(place, idle);
      if (this.#awaits(place, watches, match?.fit ?? fits.any) || !match) continue;
      if (match.fit > fits.any || (!first && place.waitedMs > AGEING_MS)) return match;
      first ??= match;
    }
    return first;
  }

  /** Whether a watch has a connection that suits the job better than any idle one: then the watch is asked for it. */
  #awaits(place: Place, watches: readonly Loan[], idleFit: number): boolean {
    let best: Loan | undefined;
    let bestFit = idleFit;
    for (const loan of watches) {
      if (loan.leaving || loan.overdue || this.#awaited.has(loan)) continue;
      const fit = fitOf(place.job, loan.connection);
      if (fit <= bestFit) continue;
      best = loan;
      bestFit = fit;
    }
    if (!best) return false;
    this.#awaited.set(best, place);
    this.#awaiting.add(place);
    this.#actions.ask(best);
    return true;
  }

  /** Opens a connection for each job that still waits; where none can be opened, asks watches for theirs. */
  #grow(): void {
    const { queue, supplied, loans } = this.#scene;
    const { supply, ask, needsRoom, watchNeedsRoom } = this.#actions;
    const wanted = this.#waiting('interactive') + Math.min(this.#waiting('bulk'), Math.max(0, this.#bulkRoom));
    const yielding = loans.watches.filter((loan) => loan.asked && !loan.leaving && !loan.overdue);
    let coming = supplied.connecting + yielding.filter((loan) => !this.#awaited.has(loan)).length;
    for (; coming < wanted; coming += 1) {
      const watch = loans.oldestWatch;
      if (this.#mayOpen()) supply();
      else if (watch) ask(watch);
      else break;
    }
    const { full } = supplied;
    const others = full === 'server' || full === 'broker';
    if (coming < wanted && others && !this.#scene.paused()) needsRoom(full);
    if (wanted > 0 || queue.of('watch').length === 0 || supplied.size > 0) return;
    if (this.#mayOpen()) supply();
    else if (others) watchNeedsRoom();
  }

  #mayOpen(): boolean {
    return !this.#scene.paused() && this.#scene.supplied.takeSlot();
  }

  /** Jobs of a lane that wait for any connection. */
  #waiting(lane: Lane): number {
    const places = this.#scene.queue.of(lane);
    if (this.#awaiting.size === 0) return places.length;
    return places.filter((place) => !this.#awaiting.has(place)).length;
  }
}

/** The idle connection that suits a job best; of equals the connection used last. */
function bestOf(place: Place, idle: readonly ImapConnection[]): Match | undefined {
  let best: Match | undefined;
  for (const connection of idle) {
    const fit = fitOf(place.job, connection);
    if (!best || fit >= best.fit) best = { place, connection, fit };
  }
  return best;
}

function fitOf({ prefers, mailbox }: Job, connection: ImapConnection): number {
  if (prefers?.(connection)) return fits.preferred;
  return mailbox !== undefined && connection.selected?.path === mailbox ? fits.mailbox : fits.any;
}
