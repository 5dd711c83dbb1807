/** What a trace needs to know of a connection. */
export interface Traced {
  readonly id: string;
  readonly bytes: { sent: number; received: number };
}

const MOST_COMMANDS = 50;

/** Collects what happens to a request, for those that ask with `explain`. Times in milliseconds. */
export class Trace {
  #queueMs = 0;
  #connectMs = 0;
  #selectMs = 0;
  #commandMs = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #connection: string | null = null;
  #attempts = 0;
  #roundTrips = 0;
  readonly #commands: string[] = [];
  /** The connection at work, and its bytes when the work began. */
  #lent: { connection: Traced; before: Traced['bytes'] } | undefined;

  /** The request got a connection after `queueMs`, of which `connectMs` were for a login. */
  begin(connection: Traced, queueMs: number, connectMs: number): void {
    this.#queueMs += queueMs;
    this.#connectMs += Math.min(connectMs, queueMs);
    this.#connection = connection.id;
    this.#attempts += 1;
    this.#lent = { connection, before: connection.bytes };
  }

  command(name: string, ms: number): void {
    if (name === 'SELECT' || name === 'EXAMINE') this.#selectMs += ms;
    else this.#commandMs += ms;
    if (this.#commands.length < MOST_COMMANDS) this.#commands.push(name);
  }

  /** The IMAP server answered what was sent to it in one packet. */
  roundTrip(): void {
    this.#roundTrips += 1;
  }

  end(): void {
    const { sent, received } = this.#bytes;
    this.#sentBytes = sent;
    this.#receivedBytes = received;
    this.#lent = undefined;
  }

  /** Takes over the work of another request, for which this one waited `queueMs`. */
  share(other: Trace, queueMs: number): void {
    this.#queueMs = queueMs;
    this.#connectMs = Math.min(other.#connectMs, queueMs);
    this.#selectMs = other.#selectMs;
    this.#commandMs = other.#commandMs;
    const { sent, received } = other.#bytes;
    this.#sentBytes = sent;
    this.#receivedBytes = received;
    this.#connection = other.#connection;
    this.#attempts = other.#attempts;
    this.#roundTrips = other.#roundTrips;
    this.#commands.push(...other.#commands);
  }

  /** The connection that the request used last. */
  get connection(): string | undefined {
    return this.#connection ?? undefined;
  }

  get queueMs(): number {
    return this.#queueMs;
  }

  /** The `explanation` of the protocol. While the work goes on, the explanation tells what was done by now. */
  explanation(totalMs: number) {
    const { sent, received } = this.#bytes;
    return {
      totalMs: rounded(totalMs),
      queueMs: rounded(this.#queueMs),
      connectMs: rounded(this.#connectMs),
      selectMs: rounded(this.#selectMs),
      commandMs: rounded(this.#commandMs),
      commands: [...this.#commands],
      roundTrips: this.#roundTrips,
      sentBytes: sent,
      receivedBytes: received,
      connection: this.#connection,
      attempts: this.#attempts,
    };
  }

  get #bytes(): Traced['bytes'] {
    const sent = this.#sentBytes;
    const received = this.#receivedBytes;
    if (!this.#lent) return { sent, received };
    const { connection, before } = this.#lent;
    const now = connection.bytes;
    return { sent: sent + now.sent - before.sent, received: received + now.received - before.received };
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
