import { BrokerError } from '../../protocol/errors.js';
import type { Carrier } from './carrier.js';
import { Command, type CommandOptions } from './command.js';
import { connectionLost, ProtocolError, refusal, serverText, tooLarge } from './errors.js';
import { wireLimits } from './limits.js';
import type { MailboxEncoding } from './mailbox-encoding.js';
import { readResponse } from './parser.js';
import type { Response, StatusText, TaggedResponse, UntaggedResponse } from './response.js';
import { Splitter } from './splitter.js';
import { turnBudget } from './turn-budget.js';
import { writeCommand } from './writer.js';

/** What a wire reports besides the results of commands. */
export interface WireListener {
  /** Bytes have come, and nothing of them was acted on yet; the listener may close the wire. */
  onInput(): void;
  /** Each untagged response, before the command that asked for it takes it. */
  onUntagged(response: UntaggedResponse): void;
  /** A response that could not be read; the connection goes on. Its keyword is shortened to fit a log line. */
  onUnreadable(response: UntaggedResponse): void;
  /** A command is over, after so many milliseconds. */
  onCommand(name: string, ms: number): void;
  /** The server has answered all that was sent, or asks for the rest of a command. */
  onRoundTrip(): void;
  onEnd(): void;
}

export interface WireOptions {
  maxLiteralBytes: number;
  names: MailboxEncoding;
  /** Octets of the largest literal that is sent without waiting for the server (RFC 7888). */
  eagerLiterals: number;
}

/** The clock is read once per so many steps of short responses: reading it costs more than one of them. */
const UNCLOCKED = 48;
const SHORT_BYTES = 4096;

/** Responses that must not be skipped: the messages of the folder, or the hits of a search, would be wrong. */
const needed = new Set(['EXISTS', 'EXPUNGE', 'VANISHED', 'FETCH', 'SEARCH', 'ESEARCH', 'SORT']);

/**
 * The IMAP protocol on a connection that is logged in: commands are sent one after the other, or several in one packet;
 * whatever the server sends is split, read and dispatched within `wireLimits`.
 */
export class Wire {
  #carrier: Carrier;
  readonly #options: WireOptions;
  readonly #listener: WireListener;
  readonly #splitter: Splitter;
  readonly #active: Command[] = [];
  readonly #queue: Command[] = [];
  /** Whether the splitter holds a whole response, which is not parsed yet. */
  #whole = false;
  /** A response that is not dispatched yet. */
  #parsed: Response | undefined;
  /** Whether the response that is being read is longer than {@link SHORT_BYTES}. */
  #long = false;
  /** Bytes that arrived after the turn had spent its time. */
  #held: Buffer[] = [];
  #finished: { error: Error | undefined } | undefined;
  #ended = false;
  #cause: unknown;
  #bye: string | undefined;
  #tags = 0;
  #joining = false;
  #sent = 0;
  #received = 0;
  #unasked = 0;
  #stray = 0;
  /** Steps since the clock was last read. */
  #unclocked = 0;
  #loggingOut = false;

  constructor(carrier: Carrier, options: WireOptions, listener: WireListener) {
    this.#carrier = carrier;
    this.#options = options;
    this.#listener = listener;
    const { maxLiteralBytes } = options;
    const responseBytes = maxLiteralBytes * 2;
    this.#splitter = new Splitter({
      lineBytes: Math.min(wireLimits.lineBytes, responseBytes),
      keptBytes: wireLimits.keptBytes,
      literalBytes: maxLiteralBytes,
      responseBytes,
    });
    this.carryBy(carrier);
  }

  /** Continues over another carrier, such as a compressing one. Only between commands. */
  carryBy(carrier: Carrier): void {
    this.#carrier = carrier;
    carrier.onBytes = (bytes) => this.#read(bytes);
    carrier.onEnd = (error) => this.#finish(error);
    carrier.resume();
  }

  /** Reads bytes that arrived before the wire was made. */
  begin(bytes: Buffer): void {
    if (bytes.length > 0) this.#read(bytes);
  }

  /** Whether commands can be sent; false from the server's BYE on, although the socket is open a moment longer. */
  get usable(): boolean {
    return !this.#ended && this.#bye === undefined && !this.#loggingOut;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Why the connection ended, in short; undefined where the broker closed it. */
  get endedBy(): string | undefined {
    if (this.#bye !== undefined && !this.#loggingOut) return 'BYE';
    const { code, name } = (this.#cause ?? {}) as NodeJS.ErrnoException;
    return code ?? name;
  }

  get bytes(): { sent: number; received: number } {
    return { sent: this.#sent, received: this.#received };
  }

  /** Whether no command is under way or waits. */
  get quiet(): boolean {
    return this.#active.length === 0 && this.#queue.length === 0;
  }

  /** The error of a command that could not be sent any more. */
  lost(): BrokerError {
    return connectionLost(this.#cause, this.#bye);
  }

  /**
   * Sends a command, after those that are under way.
   * @throws BrokerError INVALID_PARAMS at once, where the command cannot be written; IMAP_NO, NOT_FOUND or
   * UPSTREAM_UNAVAILABLE where the server refuses it; CONNECTION_LOST, TOO_LARGE; and what a handler throws
   */
  exec(options: CommandOptions): Promise<StatusText> {
    const { names, eagerLiterals } = this.#options;
    const tag = (this.#tags + 1).toString(16).toUpperCase();
    const packets = writeCommand(tag, options.name, options.args ?? [], names, eagerLiterals);
    this.#tags += 1;
    const command = new Command(tag, options, packets);
    if (this.#ended) command.fail(this.lost().withExecuted('no'));
    else if (this.#active.length === 0 || (this.#joining && packets.length === 1)) this.#send(command);
    else this.#queue.push(command);
    return command.done;
  }

  /**
   * Sends all commands that `begin` starts synchronously in one packet, if no command is under way: one round trip for
   * all. No command may depend on another, because a server may execute them in any order (RFC 9051 section 5.5).
   */
  together<T>(begin: () => T): T {
    if (this.#joining || !this.quiet) return begin();
    this.#joining = true;
    this.#carrier.cork();
    try {
      return begin();
    } finally {
      this.#joining = false;
      this.#carrier.uncork();
    }
  }

  /** Ends the IDLE under way, in one packet with the commands that `begin` starts synchronously. */
  endIdle<T>(begin: () => T): T {
    this.#joining = true;
    this.#carrier.cork();
    try {
      this.#write('DONE\r\n');
      return begin();
    } finally {
      this.#joining = false;
      this.#carrier.uncork();
    }
  }

  /** Sends LOGOUT and resolves when the server has answered or the connection has ended. */
  async logout(): Promise<void> {
    const command = this.exec({ name: 'LOGOUT' });
    this.#loggingOut = true;
    await command.catch(() => {});
  }

  /** Closes the connection at once; commands under way reject, with the error if one is given. */
  close(error?: BrokerError): void {
    this.#end(error);
  }

  #send(command: Command): void {
    this.#active.push(command);
    this.#unasked = 0;
    if (command.options.landing) this.#splitter.landing = command.options.landing;
    this.#writePacket(command);
  }

  #writePacket(command: Command): void {
    const packet = command.packets.shift() ?? [];
    const several = packet.length > 1 && !this.#joining;
    if (several) this.#carrier.cork();
    for (const piece of packet) this.#write(piece);
    if (several) this.#carrier.uncork();
  }

  #write(piece: string | Buffer): void {
    if (this.#ended) return;
    this.#sent += piece.length;
    this.#carrier.write(piece);
  }

  /** @returns false to get no more bytes until the carrier is resumed */
  #read(bytes: Buffer): boolean {
    if (!this.#ended) this.#listener.onInput();
    if (this.#ended) return false;
    this.#received += bytes.length;
    if (this.#held.length > 0) {
      this.#held.push(Buffer.from(bytes));
      return false;
    }
    const rest = this.#take(bytes);
    if (!rest) return true;
    // The memory of the chunk is reused after this call.
    this.#held.push(Buffer.from(rest));
    turnBudget.defer(() => this.#readHeld());
    return false;
  }

  #readHeld(): void {
    while (this.#held.length > 0 && !this.#ended) {
      const rest = this.#take(this.#held[0] as Buffer);
      if (rest) {
        this.#held[0] = rest;
        turnBudget.defer(() => this.#readHeld());
        return;
      }
      this.#held.shift();
    }
    if (this.#ended) this.#held = [];
    else if (this.#finished) this.#end(this.#finished.error ?? new ProtocolError('The server closed the connection.'));
    else this.#carrier.resume();
  }

  /** Reads a chunk as far as the turn's time allows. @returns the rest, perhaps empty, if the time is spent */
  #take(chunk: Buffer): Buffer | undefined {
    try {
      for (let at = 0; !this.#ended; ) {
        // Three steps for each response: of a long one, each may take the rest of a turn.
        if (this.#parsed) this.#dispatch(this.#parsed);
        else if (this.#whole) this.#parse();
        else if (at < chunk.length) at = this.#split(chunk, at);
        else return undefined;
        if (!this.#isLate()) continue;
        if (this.#whole) this.#splitter.keep();
        return chunk.subarray(at);
      }
    } catch (error) {
      this.#end(error);
    }
    return undefined;
  }

  /** Whether this turn has spent its time; checked only now and then, counted over all reads, which may be short. */
  #isLate(): boolean {
    this.#unclocked += 1;
    if (!this.#long && this.#unclocked < UNCLOCKED) return false;
    this.#unclocked = 0;
    return turnBudget.spent;
  }

  /** @returns where reading stopped in the chunk */
  #split(chunk: Buffer, at: number): number {
    const splitter = this.#splitter;
    if (splitter.size > SHORT_BYTES) turnBudget.begin();
    this.#whole = splitter.read(chunk, at);
    this.#long = this.#whole && splitter.size > SHORT_BYTES;
    return splitter.at;
  }

  #parse(): void {
    const splitter = this.#splitter;
    const response = readResponse(splitter.lines, splitter.literals, splitter.cut);
    if (response.kind === 'untagged') response.size = splitter.size;
    splitter.clear();
    this.#whole = false;
    this.#parsed = response;
  }

  #dispatch(response: Response): void {
    this.#parsed = undefined;
    if (response.kind === 'untagged') this.#untagged(response);
    else if (response.kind === 'tagged') this.#tagged(response);
    else this.#continue();
  }

  #untagged(response: UntaggedResponse): void {
    const command = this.#active.find((one) => one.handles(response.keyword));
    if (!command) this.#countUnasked(response.size);
    if (response.keyword === 'BYE') this.#sayBye(response.status?.text ?? '');
    if (response.damaged) {
      if (command && response.keyword === 'FETCH') command.take(response);
      else if (needed.has(response.keyword)) throw new ProtocolError(`Cannot read ${response.keyword} of the server.`);
      else this.#listener.onUnreadable({ ...response, keyword: serverText(response.keyword) });
      return;
    }
    this.#listener.onUntagged(response);
    command?.take(response);
  }

  /** Limits unsolicited bytes while no command is under way, or only an IDLE. */
  #countUnasked(size: number): void {
    const [first] = this.#active;
    if (first && !first.options.onContinue) return;
    this.#unasked += size;
    if (this.#unasked > wireLimits.unaskedBytes)
      throw tooLarge('bytes that nothing asked for', wireLimits.unaskedBytes);
  }

  #sayBye(text: string): void {
    this.#bye ??= text || 'The server closed the connection';
    // The response to LOGOUT comes after the BYE; and responses that arrived together with a BYE are still read.
    if (!this.#loggingOut) setImmediate(() => this.#end(undefined));
  }

  #tagged({ tag, status, text, damaged }: TaggedResponse): void {
    const index = this.#active.findIndex((command) => command.tag === tag);
    const command = this.#active[index];
    if (!command) {
      this.#untaggedRefusal(tag, status, text);
      return;
    }
    if (damaged || !/^(?:OK|NO|BAD|BYE)$/.test(status)) throw new ProtocolError(`Cannot read the answer ${status}.`);
    if (status === 'BYE') {
      this.#bye ??= text.text;
      throw new ProtocolError('The server said BYE to a command.');
    }
    this.#active.splice(index, 1);
    if (command.options.landing) this.#splitter.landing = undefined;
    this.#unasked = 0;
    this.#listener.onCommand(command.options.name, performance.now() - command.begunAt);
    if (status === 'OK') command.succeed(text);
    else command.fail(refusal({ status: status as 'NO' | 'BAD', code: text.code, text: text.text }, text.codeArgs));
    if (this.#active.length > 0) return;
    this.#listener.onRoundTrip();
    const next = this.#queue.shift();
    if (next) this.#send(next);
  }

  /** A NO or BAD without a tag is taken for the command under way, but later responses cannot be trusted. */
  #untaggedRefusal(first: string, second: string, text: StatusText): void {
    // The response to a DONE that was sent when the server had already ended the IDLE.
    if (first.toUpperCase() === 'DONE') return;
    const status = first.toUpperCase();
    if (status === 'NO' || status === 'BAD') {
      const words = serverText(`${second} ${text.text}`.trim());
      this.#active.shift()?.fail(refusal({ status, code: text.code, text: words }));
    }
    throw new ProtocolError('The server answered a command that was not sent.');
  }

  #continue(): void {
    const command = this.#active.find((one) => one.packets.length > 0 || one.options.onContinue);
    if (command?.packets.length) {
      this.#listener.onRoundTrip();
      this.#writePacket(command);
    } else if (command) command.options.onContinue?.();
    else this.#stray += 1;
    if (this.#stray > wireLimits.strayContinuations) throw new ProtocolError('The server asks for more and more.');
  }

  #finish(error: Error | undefined): void {
    if (this.#held.length > 0) this.#finished = { error };
    else this.#end(error ?? new ProtocolError('The server closed the connection.'));
  }

  #end(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cause = cause;
    this.#carrier.close();
    this.#held = [];
    this.#splitter.clear();
    const lost = this.lost();
    const tooMuch = cause instanceof BrokerError ? cause : undefined;
    for (const command of this.#active.splice(0)) command.fail(tooMuch ?? lost);
    for (const command of this.#queue.splice(0)) command.fail(lost.withExecuted('no'));
    this.#listener.onEnd();
  }
}
