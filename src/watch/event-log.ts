/** One event, written once for all who get it. */
export interface LoggedEvent {
  readonly seq: number;
  readonly mailbox: string;
  /** The text frame. */
  readonly frame: string;
}

export interface EventLogLimits {
  /** Events of one topic. */
  events: number;
  /** Milliseconds that an event is kept. */
  ageMs: number;
  /** Bytes that the events of all topics may take in memory. */
  bytes: number;
}

interface Kept {
  log: EventLog;
  bytes: number;
  at: number;
}

/** What an event costs beside its text. */
const OVERHEAD_BYTES = 200;

/** The bounds that all logs share: in number of bytes and in time. The oldest events go first, whosever they are. */
export class EventStore {
  readonly limits: EventLogLimits;
  /** In the order of their coming; those of one log are in the log's order as well. */
  readonly #kept = new Set<Kept>();
  #bytes = 0;

  constructor(limits: EventLogLimits) {
    this.limits = limits;
  }

  /** Bytes in all logs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes an event of a log; answers how to forget it. */
  keep(log: EventLog, frame: string): () => void {
    // A string takes up to two bytes a character.
    const kept = { log, bytes: 2 * frame.length + OVERHEAD_BYTES, at: performance.now() };
    this.#kept.add(kept);
    this.#bytes += kept.bytes;
    return () => {
      if (this.#kept.delete(kept)) this.#bytes -= kept.bytes;
    };
  }

  /** Drops what is too old or too much. */
  trim(): void {
    const oldest = performance.now() - this.limits.ageMs;
    for (const { log, at } of this.#kept) {
      if (at > oldest && this.#bytes <= this.limits.bytes) return;
      log.dropOldest();
    }
  }
}

/** The last events of one topic, numbered without a gap, so that a socket can be sent what it missed. */
export class EventLog {
  readonly #store: EventStore;
  readonly #events: Array<{ event: LoggedEvent; forget: () => void }> = [];
  /** Number of the last event that is not here any more. */
  #before: number;

  /** @param seq the number after which the log begins */
  constructor(store: EventStore, seq: number) {
    this.#store = store;
    this.#before = seq;
  }

  /** Number of the last event. */
  get seq(): number {
    return this.#before + this.#events.length;
  }

  /** Adds an event; its frame is written with the number that it gets. */
  append(mailbox: string, write: (seq: number) => string): LoggedEvent {
    const seq = this.seq + 1;
    const event = { seq, mailbox, frame: write(seq) };
    this.#events.push({ event, forget: this.#store.keep(this, event.frame) });
    if (this.#events.length > this.#store.limits.events) this.dropOldest();
    this.#store.trim();
    return event;
  }

  /** The events with numbers above one; undefined when not all of them are here, or the number lies ahead. */
  after(seq: number): LoggedEvent[] | undefined {
    if (seq < this.#before || seq > this.seq) return undefined;
    return this.#events.slice(seq - this.#before).map(({ event }) => event);
  }

  dropOldest(): void {
    const oldest = this.#events.shift();
    if (!oldest) return;
    oldest.forget();
    this.#before = oldest.event.seq;
  }

  clear(): void {
    while (this.#events.length > 0) this.dropOldest();
  }
}
