import type { OnReadOpts, Socket } from 'node:net';
import type { Transform, TransformCallback } from 'node:stream';
import type { ImapFlow } from 'imapflow';
import { HeldResponse } from './held-response.js';
import type { ImapAttribute } from './raw-exec.js';
import type { QuickResponse } from './response-parser.js';

/**
 * Bytes of one response that are held here until it is whole: a piece of a download, and what is said with it. Larger
 * ones are imapflow's, which knows every limit.
 */
const MOST_HELD = 1024 * 1024 + 64 * 1024;

type Handler = (response: QuickResponse) => unknown;

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  socket: Socket | undefined;
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
 * Lets FETCH, LIST and STATUS responses, most of what a server sends, take a short way from the socket to whoever asked:
 * imapflow's way costs some 50 microseconds each, for a parser that looks at every character several times and for a stream of
 * responses that takes turns of the loop. Everything else, and every response that is odd or large, goes the way it went
 * before, in its order. Only for a connection that is logged in: before, nothing may be held back from imapflow.
 */
export function installFlowReader(flow: ImapFlow): void {
  const reader = new FlowReader(flow as unknown as FlowInside);
  readers.set(flow, reader);
  reader.install();
}

const readers = new WeakMap<ImapFlow, FlowReader>();

/**
 * Tells where the octets of the next large literal shall be put, if they fit; `undefined`: nowhere in particular. Whoever
 * downloads much uses the same memory again and again.
 */
export function landOn(flow: ImapFlow, landing: Buffer | undefined): void {
  readers.get(flow)?.landOn(landing);
}

/** What one read of a socket can bring. All connections share it, for what it holds is taken before the next read of any. */
const readMemory = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Lets a socket read into memory that is used again: Node allocates some for each 16 KiB of TLS, which costs more than the
 * bytes themselves when megabytes come. The octets of a literal go to their place from here, past both streams between
 * the socket and the reader; everything else is copied and goes through them.
 * @param flowOf the connection of the socket, for its first byte comes after it was made
 */
export function readingInPlace(flowOf: () => ImapFlow): OnReadOpts {
  return {
    buffer: readMemory,
    callback: (size, memory) => {
      const flow = flowOf();
      const bytes = Buffer.from(memory.buffer, memory.byteOffset, size);
      if (readers.get(flow)?.takeOctets(bytes)) return true;
      const { socket } = flow as unknown as FlowInside;
      // Closed meanwhile: nobody wants it.
      return socket ? socket.push(Buffer.from(bytes)) : false;
    },
  };
}

class FlowReader {
  readonly #flow: FlowInside;
  readonly #streamer: Streamer;
  readonly #original: Transform['_transform'];
  readonly #response = new HeldResponse();

  constructor(flow: FlowInside) {
    this.#flow = flow;
    this.#streamer = flow.streamer;
    this.#original = flow.streamer._transform.bind(flow.streamer);
  }

  install(): void {
    this.#streamer._transform = (chunk, encoding, next) => {
      if (Buffer.isBuffer(chunk) && this.#isIdle) this.#take(chunk, 0, next);
      else this.#original(chunk, encoding, next);
    };
  }

  landOn(landing: Buffer | undefined): void {
    this.#response.landing = landing;
  }

  /** Takes bytes past the streams, if all before them were taken and they are only octets of the literal under way. */
  takeOctets(bytes: Buffer): boolean {
    const { readableLength = 1 } = this.#flow.socket ?? {};
    const before = readableLength + this.#streamer.writableLength;
    return before === 0 && !this.#streamer.destroyed && this.#response.takeOctets(bytes);
  }

  /** Whether imapflow has handled all it got, up to the end of a response. */
  get #isIdle(): boolean {
    const { state, inputQueue, activeInput, inputBuffer, lineBuffer, literals, readableLength, destroyed } =
      this.#streamer;
    const between = state === 1 && inputBuffer.length === 0 && lineBuffer.length === 0 && literals.length === 0;
    return between && inputQueue.length === 0 && activeInput === null && readableLength === 0 && !destroyed;
  }

  #take(chunk: Buffer, from: number, next: TransformCallback): void {
    const { maxLiteralSize, maxResponseSize } = this.#streamer;
    const most = Math.min(MOST_HELD, maxLiteralSize, maxResponseSize);
    const response = this.#response;
    for (let at = from; at < chunk.length && !this.#streamer.destroyed; at = response.at) {
      const read = response.read(chunk, at, most);
      if (read === 'part') break;
      const parsed = read === 'whole' ? response.parse() : undefined;
      if (!parsed) {
        this.#original(response.giveUp(chunk), 'buffer' as BufferEncoding, next);
        return;
      }
      this.#streamer.readBytesCounter += response.size;
      response.clear();
      const waiting = this.#dispatch(parsed);
      if (waiting) {
        // Whatever comes behind waits too, as it does in imapflow.
        void waiting.then(() => this.#take(chunk, response.at, next));
        return;
      }
    }
    next();
  }

  /** As imapflow's handleResponse does; answers a promise only where the handler needs time. */
  #dispatch(response: QuickResponse): Promise<void> | undefined {
    const warn = (err: unknown) =>
      this.#flow.log.warn({ msg: 'Failed to process untagged response', command: response.command, err });
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
