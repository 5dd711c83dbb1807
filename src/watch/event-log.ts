import type { RowFields } from './row-fields.js';

/** One event, serialised once for all sockets that get it. */
export interface LoggedEvent {
  readonly seq: number;
  readonly mailbox: string;
  /** The WebSocket text frame. */
  readonly frame: string;
  /** Members that its rows have; undefined where it has no rows. */
  readonly fields?: RowFields | undefined;
}

export interface EventLogLimits {
  /** Most events of one topic. */
  events: number;
  /** Milliseconds that an event is kept. */
  ageMs: number;
  /** Most bytes of memory for the events of all topics. */
  bytes: number;
}

interface Kept {
  log: EventLog;
  bytes: number;
  at: number;
}

/** Bytes of an event besides its text. */
const OVERHEAD_BYTES = 200;

/** The bounds that all logs share, in bytes and in age. The oldest events of all topics are dropped first. */
export class EventStore {
  readonly limits: EventLogLimits;
  /** In order of arrival, so that the events of one log are in the log's order as well. */
  readonly #kept = new Set<Kept>();
  #bytes = 0;

  constructor(limits: EventLogLimits) {
    this.limits = limits;
  }

  /** Bytes in all logs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts an event of a log. @returns function that stops counting the event */
  keep(log: EventLog, frame: string): () => void {
    // A string takes up to two bytes per character.
    const kept = { log, bytes: 2 * frame.length + OVERHEAD_BYTES, at: performance.now() };
    this.#kept.add(kept);
    this.#bytes += kept.bytes;
    return () => {
      if (this.#kept.delete(kept)) this.#bytes -= kept.bytes;
    };
  }

  /** Drops events that are too old, or more than the bytes allow. */
  trim(): void {
    const oldest = performance.now() - this.limits.ageMs;
    for (const { log, at } of this.#kept) {
      if (at > oldest && this.#bytes <= this.limits.bytes) return;
      log.dropOldest();
    }
  }
}

/** The last events of one topic, numbered without a gap, so that a socket can be sent the events that it missed. */
export class EventLog {
  readonly #store: EventStore;
  readonly #events: Array<{ event: LoggedEvent; forget: () => void }> = [];
  /** Number of the last event that was dropped. */
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

  /** Adds an event. @param write returns the frame for the number that the event gets */
  append(mailbox: string, write: (seq: number) => string, fields?: RowFields): LoggedEvent {
    const seq = this.seq + 1;
    const event = { seq, mailbox, frame: write(seq), fields };
    this.#events.push({ event, forget: this.#store.keep(this, event.frame) });
    if (this.#events.length > this.#store.limits.events) this.dropOldest();
    this.#store.trim();
    return event;
  }

  /** The events after number `seq`; undefined when some of them were dropped, or `seq` is above the last event. */
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
