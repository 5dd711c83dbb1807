import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ImapTransportSocket } from 'imapflow';
import { BrokerError } from '../../protocol/errors.js';
import type { SocketCarrier } from '../wire/carrier.js';
import { wireLimits } from '../wire/limits.js';
import { Pieces } from '../wire/pieces.js';
import { Splitter } from '../wire/splitter.js';

const limits = wireLimits.login;
const [STAR, PLUS] = [0x2a, 0x2b];

/** Most continuation requests of a SASL exchange: each is answered with a secret. */
const challenges: Record<string, number> = { PLAIN: 1, LOGIN: 2 };
const OTHER_CHALLENGES = 2;

/**
 * The stream between imapflow and the broker's own socket during the login. The stream passes on only whole responses,
 * and after the response that ends a command nothing until imapflow writes the next command. So bytes that imapflow has
 * not asked for are still here when the login is over, and {@link release} returns them with the socket. What a server
 * may send is bounded.
 */
export class LoginStream extends Duplex {
  readonly carrier: SocketCarrier;
  /** Why the stream itself ended the connection. */
  failure: BrokerError | undefined;
  readonly #splitter = new Splitter({
    lineBytes: limits.responseBytes,
    keptBytes: limits.responseBytes,
    literalBytes: limits.responseBytes,
    responseBytes: limits.responseBytes,
  });
  #whole: Buffer[] = [];
  /** Bytes of a response that is not whole yet. */
  readonly #part = new Pieces();
  /** Whether imapflow has written since it was given the end of a command. */
  #asked = true;
  #greeting: Buffer | undefined;
  #bytes = 0;
  #sent = 0;
  #responses = 0;
  #challengesLeft = 0;
  #released = false;

  constructor(carrier: SocketCarrier) {
    super();
    this.carrier = carrier;
    // imapflow removes its listener when it closes, and an error without a listener would end the process.
    this.on('error', () => {});
    carrier.onBytes = (bytes) => this.#take(bytes);
    carrier.onEnd = (error) => {
      if (error) this.destroy(error);
      else this.push(null);
    };
  }

  /** Hands the socket over, with the bytes that were read and not passed on. */
  release(): { carrier: SocketCarrier; rest: Buffer } {
    this.#released = true;
    return { carrier: this.carrier, rest: Buffer.concat([...this.#whole, this.#part.take()]) };
  }

  /** Whether the server has sent more than it was asked for. After STARTTLS an attacker may have injected that. */
  get hasMore(): boolean {
    return this.#whole.length > 0 || this.#part.length > 0;
  }

  /** Whether the server sent a greeting other than BYE. */
  get greeted(): boolean {
    return /^\* (?:OK|PREAUTH)\b/i.test(this.#greeting?.toString('latin1', 0, 10) ?? '');
  }

  get bytes(): { sent: number; received: number } {
    return { sent: this.#sent, received: this.#bytes };
  }

  /** Whether the server greeted as if the login were done already. */
  get isPreauth(): boolean {
    return /^\* PREAUTH\b/i.test(this.#greeting?.toString('latin1', 0, 10) ?? '');
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  getCipher(): ReturnType<NonNullable<ImapTransportSocket['getCipher']>> {
    const { socket } = this.carrier;
    return 'getCipher' in socket ? ((socket as TLSSocket).getCipher() ?? null) : null;
  }

  get authorized(): boolean {
    return 'authorized' in this.carrier.socket && (this.carrier.socket as TLSSocket).authorized;
  }

  override _read(): void {
    this.#hand();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const [, command, mechanism = ''] = /^\S+ (\S+)(?: (\S+))?/.exec(chunk.toString('latin1', 0, 200)) ?? [];
    // Lines of a SASL exchange have a single word, so they do not match.
    if (command !== undefined) {
      const exchange = command.toUpperCase() === 'AUTHENTICATE';
      const most = challenges[mechanism.toUpperCase()] ?? OTHER_CHALLENGES;
      this.#challengesLeft = exchange ? most : limits.continuations;
    }
    this.#asked = true;
    this.#sent += chunk.length;
    this.carrier.write(Buffer.from(chunk));
    done();
    this.#hand();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#released) this.carrier.close();
    done(error);
  }

  #take(bytes: Buffer): boolean {
    if (this.destroyed) return false;
    this.#bytes += bytes.length;
    if (this.#bytes > limits.bytes) return this.#fail(`more than ${limits.bytes} bytes`);
    try {
      let from = 0;
      while (from < bytes.length) {
        const whole = this.#splitter.read(bytes, from);
        this.#part.add(bytes.subarray(from, this.#splitter.at));
        from = this.#splitter.at;
        if (!whole) break;
        this.#splitter.clear();
        this.#whole.push(this.#part.take());
        this.#greeting ??= this.#whole[0];
        this.#responses += 1;
        if (this.#responses > limits.responses) return this.#fail(`more than ${limits.responses} responses`);
      }
    } catch {
      return this.#fail(`a response of more than ${limits.responseBytes} bytes`);
    }
    this.#hand();
    return true;
  }

  #hand(): void {
    while (this.#asked && this.#whole.length > 0 && !this.destroyed && !this.#released) {
      const response = this.#whole.shift() as Buffer;
      if (response[0] === PLUS) {
        this.#challengesLeft -= 1;
        if (this.#challengesLeft < 0) {
          this.#fail('a challenge too many');
          return;
        }
      }
      this.#asked = response[0] === STAR;
      this.push(response);
    }
  }

  #fail(what: string): false {
    this.failure = new BrokerError('UPSTREAM_UNAVAILABLE', `The IMAP server sends ${what} before the login is over.`);
    this.destroy(this.failure);
    return false;
  }
}
