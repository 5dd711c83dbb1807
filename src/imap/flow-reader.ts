import type { Transform, TransformCallback } from 'node:stream';
import type { ImapFlow } from 'imapflow';
import type { ImapAttribute } from './raw-exec.js';
import { type FetchResponse, parseFetch } from './response-parser.js';

/** Bytes of one response that are held here until it is whole; larger ones are imapflow's, which knows every limit. */
const MOST_HELD = 64 * 1024;

const [LF, CR, SPACE, STAR, ZERO, NINE] = [0x0a, 0x0d, 0x20, 0x2a, 0x30, 0x39];
const [BRACE, BRACE_END] = [0x7b, 0x7d];

type Handler = (response: FetchResponse) => unknown;

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  streamer: Streamer;
  getUntaggedHandler(command: string, attributes: ImapAttribute[]): Handler | undefined;
  log: { warn(entry: Record<string, unknown>): void };
}

/** Splits what the server sends into responses, each of which it hands on and waits for. */
interface Streamer extends Transform {
  readBytesCounter: number;
  maxLiteralSize: number;
  maxResponseSize: number;
  /** 1 between the lines of a response, 2 in a literal. */
  state: number;
  inputQueue: unknown[];
  activeInput: unknown;
  inputBuffer: Buffer[];
  lineBuffer: Buffer[];
  literals: Buffer[];
}

/**
 * Lets FETCH responses, most of what a server sends, take a short way from the socket to whoever asked: imapflow's way
 * costs some 50 microseconds each, for a parser that looks at every character several times and for a stream of
 * responses that takes turns of the loop. Everything else, and every response that is odd or large, goes the way it went
 * before, in its order. Only for a connection that is logged in: before, nothing may be held back from imapflow.
 */
export function installFlowReader(flow: ImapFlow): void {
  const reader = new FlowReader(flow as unknown as FlowInside);
  reader.install();
}

class FlowReader {
  readonly #flow: FlowInside;
  readonly #streamer: Streamer;
  readonly #original: Transform['_transform'];
  /** The beginning of a response, until it has so many bytes. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #needed = 0;

  constructor(flow: FlowInside) {
    this.#flow = flow;
    this.#streamer = flow.streamer;
    this.#original = flow.streamer._transform.bind(flow.streamer);
  }

  install(): void {
    this.#streamer._transform = (chunk, encoding, next) => {
      if (Buffer.isBuffer(chunk) && this.#isIdle) this.#take(chunk, next);
      else this.#original(chunk, encoding, next);
    };
  }

  /** Whether imapflow has handled all it got, up to the end of a response. */
  get #isIdle(): boolean {
    const { state, inputQueue, activeInput, inputBuffer, lineBuffer, literals, readableLength, destroyed } =
      this.#streamer;
    const between = state === 1 && inputBuffer.length === 0 && lineBuffer.length === 0 && literals.length === 0;
    return between && inputQueue.length === 0 && activeInput === null && readableLength === 0 && !destroyed;
  }

  #take(chunk: Buffer, next: TransformCallback): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needed) {
      next();
      return;
    }
    const [first = chunk] = this.#held;
    const bytes = this.#held.length === 1 ? first : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    this.#needed = 0;
    this.#handle(bytes, 0, next);
  }

  #handle(bytes: Buffer, from: number, next: TransformCallback): void {
    let at = from;
    while (at < bytes.length && !this.#streamer.destroyed) {
      const found = responseAt(bytes, at);
      if (typeof found === 'number') {
        this.#stop(bytes, at, found, next);
        return;
      }
      const response = found && this.#fits(found.end - at) ? parseFetch(found.text, found.literals) : undefined;
      if (!found || !response) {
        this.#leave(bytes, at, next);
        return;
      }
      const end = found.end;
      this.#streamer.readBytesCounter += end - at;
      at = end;
      const waiting = this.#dispatch(response);
      if (waiting) {
        // Whatever comes behind waits too, as it does in imapflow.
        void waiting.then(() => this.#handle(bytes, end, next));
        return;
      }
    }
    next();
  }

  /** The response is not whole, and not before it has so many bytes. */
  #stop(bytes: Buffer, at: number, needed: number, next: TransformCallback): void {
    if (needed > MOST_HELD || !this.#fits(needed)) {
      this.#leave(bytes, at, next);
      return;
    }
    const rest = bytes.subarray(at);
    this.#held = [rest];
    this.#heldBytes = rest.length;
    this.#needed = needed;
    next();
  }

  #fits(size: number): boolean {
    const { maxLiteralSize, maxResponseSize } = this.#streamer;
    return size <= maxLiteralSize && size <= maxResponseSize;
  }

  #leave(bytes: Buffer, at: number, next: TransformCallback): void {
    this.#original(at === 0 ? bytes : bytes.subarray(at), 'buffer' as BufferEncoding, next);
  }

  /** As imapflow's handleResponse does; answers a promise only where the handler needs time. */
  #dispatch(response: FetchResponse): Promise<void> | undefined {
    const warn = (err: unknown) =>
      this.#flow.log.warn({ msg: 'Failed to process untagged response', command: 'FETCH', err });
    try {
      const handler = this.#flow.getUntaggedHandler(response.command, response.attributes);
      const result = handler?.(response);
      return result instanceof Promise ? result.then(() => {}, warn) : undefined;
    } catch (err) {
      warn(err);
      return undefined;
    }
  }
}

interface Found {
  text: string;
  literals: Buffer[];
  /** Where the next response begins. */
  end: number;
}

/**
 * The response that begins here; the number of bytes that it needs at least where it is not whole; `undefined` when it is
 * no FETCH.
 */
function responseAt(bytes: Buffer, start: number): Found | number | undefined {
  // Only the beginning: whether the rest is right is the parser's to say.
  if (bytes[start] !== STAR) return undefined;
  if (start + 2 < bytes.length && !(bytes[start + 1] === SPACE && isDigit(bytes[start + 2]))) return undefined;
  const literals: Buffer[] = [];
  let text = '';
  for (let at = start; ; ) {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0) return bytes.length - start + 1;
    const length = literalLength(bytes, at, lf);
    if (length === undefined) {
      const end = bytes[lf - 1] === CR ? lf - 1 : lf;
      return { text: text + bytes.toString('utf8', at, end), literals, end: lf + 1 };
    }
    const behind = lf + 1 + length;
    // A line end at least is behind it.
    if (behind >= bytes.length) return behind - start + 1;
    text += bytes.toString('utf8', at, lf + 1);
    // A copy, for whoever keeps it must not keep everything that came with it.
    literals.push(Buffer.from(bytes.subarray(lf + 1, behind)));
    at = behind;
  }
}

/** The n of a line that ends in `{n}`. */
function literalLength(bytes: Buffer, start: number, lf: number): number | undefined {
  let at = bytes[lf - 1] === CR ? lf - 2 : lf - 1;
  if (bytes[at] !== BRACE_END) return undefined;
  const end = at;
  do at -= 1;
  while (at > start && isDigit(bytes[at]));
  if (bytes[at] !== BRACE || at === end - 1) return undefined;
  return Number(bytes.toString('latin1', at + 1, end));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
