import type { EventLog, LoggedEvent } from './event-log.js';
import type { RowFields } from './row-fields.js';
import type { Subscriber } from './types.js';

/** A watch that a request is about to begin on a socket; events wait until the request is answered. */
export interface Hold {
  readonly mailboxes: ReadonlySet<string>;
  /** Members of rows that the request asks for. */
  readonly fields: RowFields;
  /** Events above this number wait for the request's answer; undefined while no event has to wait. */
  from: number | undefined;
  /** Events that the socket is sent again: all above `after`, up to `from`. */
  replay?: { after: number; events: readonly LoggedEvent[] } | undefined;
}

/**
 * What one socket gets of one topic: each event of its mailboxes once, in order. While a request is about to begin a
 * watch, the first event that may belong to that watch and all later ones wait for the answer, including those of other
 * mailboxes: on one socket numbers only rise, so that the last number shows all that was received.
 */
export class Subscription {
  readonly subscriber: Subscriber;
  readonly #log: EventLog;
  readonly #cut: (event: LoggedEvent, fields: RowFields) => string;
  /** By mailbox, members of rows that the socket asked for. */
  readonly #fields = new Map<string, RowFields>();
  /** By mailbox, the number above which the socket has all events of the mailbox, up to {@link #sent}. */
  readonly #since = new Map<string, number>();
  readonly #holds = new Set<Hold>();
  /** All events up to here have been sent, as far as they are for this socket. */
  #sent: number;
  #ended = false;

  /** @param cut returns the frame of an event with rows of these members alone */
  constructor(subscriber: Subscriber, log: EventLog, cut: (event: LoggedEvent, fields: RowFields) => string) {
    this.subscriber = subscriber;
    this.#log = log;
    this.#cut = cut;
    this.#sent = log.seq;
  }

  /** The mailboxes that the socket watches. */
  get mailboxes(): string[] {
    return [...this.#since.keys()];
  }

  /** The mailboxes that the socket watches or is about to watch. */
  get wanted(): Set<string> {
    const wanted = new Set(this.#since.keys());
    for (const { mailboxes } of this.#holds) for (const name of mailboxes) wanted.add(name);
    return wanted;
  }

  /** Members of rows that the socket wants or is about to want. */
  *wantedFields(): Generator<RowFields> {
    yield* this.#fields.values();
    for (const { fields } of this.#holds) yield fields;
  }

  /** Whether the socket neither watches a mailbox nor is about to. */
  get idle(): boolean {
    return this.#since.size === 0 && this.#holds.size === 0;
  }

  /** A request is about to begin a watch. The hold ends by {@link begin} or {@link drop}. */
  hold(mailboxes: Iterable<string>, fields: RowFields): Hold {
    const hold = { mailboxes: new Set(mailboxes), fields, from: undefined };
    this.#holds.add(hold);
    return hold;
  }

  /** Whether an event that a hold is about to replay has not been sent to the socket yet. */
  lacks({ mailbox, seq }: LoggedEvent): boolean {
    const since = this.#since.get(mailbox);
    return since === undefined || seq <= since;
  }

  /** The request was answered: begins its watch of the given mailboxes, with the replay. */
  begin(hold: Hold, mailboxes: Iterable<string>): void {
    if (!this.#holds.delete(hold) || this.#ended) return;
    const { from = this.#log.seq, replay } = hold;
    const names = [...mailboxes];
    for (const name of names) this.#fields.set(name, this.#fields.get(name)?.with(hold.fields) ?? hold.fields);
    for (const event of replay?.events ?? []) {
      // Later events are sent in order by `#flush`.
      if (event.seq <= this.#sent && this.lacks(event)) this.subscriber.send(this.#frameOf(event));
    }
    for (const name of names) {
      this.#since.set(name, Math.min(this.#since.get(name) ?? from, replay?.after ?? from));
    }
    this.#flush();
  }

  /** The request failed. */
  drop(hold: Hold): void {
    if (this.#holds.delete(hold)) this.#flush();
  }

  stop(mailboxes: readonly string[]): void {
    for (const name of mailboxes) {
      this.#since.delete(name);
      this.#fields.delete(name);
    }
  }

  /** A new event; the log has it already. */
  take(event: LoggedEvent): void {
    for (const hold of this.#holds) {
      if (hold.from === undefined && hold.mailboxes.has(event.mailbox)) hold.from = event.seq - 1;
    }
    if (this.#sent === event.seq - 1 && this.#limit >= event.seq) this.#send(event);
    else this.#flush();
  }

  /** Ends the subscription: no event is sent any more. */
  end(): void {
    this.#ended = true;
    this.#since.clear();
    this.#fields.clear();
    this.#holds.clear();
  }

  get #limit(): number {
    let limit = Number.POSITIVE_INFINITY;
    for (const { from } of this.#holds) limit = Math.min(limit, from ?? limit);
    return limit;
  }

  #flush(): void {
    const limit = this.#limit;
    if (this.#ended || limit <= this.#sent || this.#log.seq <= this.#sent) return;
    const events = this.#log.after(this.#sent);
    if (!events) {
      // While an answer was pending, more events came than the log keeps.
      this.end();
      this.subscriber.overrun();
      return;
    }
    for (const event of events) if (event.seq <= limit) this.#send(event);
  }

  #send(event: LoggedEvent): void {
    this.#sent = event.seq;
    const since = this.#since.get(event.mailbox);
    if (since !== undefined && event.seq > since) this.subscriber.send(this.#frameOf(event));
  }

  #frameOf(event: LoggedEvent): string {
    const fields = this.#fields.get(event.mailbox);
    return !event.fields || !fields || event.fields.key === fields.key ? event.frame : this.#cut(event, fields);
  }
}
