import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { WireError } from '../../src/protocol/errors.js';
import { subprotocol } from '../../src/protocol/limits.js';

/** What became of one request. */
export interface Outcome {
  method: string;
  /** Milliseconds from the request to its answer. */
  ms: number;
  /** Of the frame that answered. */
  bytes: number;
  result?: unknown;
  error?: WireError;
  /** Why there is no answer: none came in time, or the socket closed. */
  unanswered?: string;
}

/** What a request waits for beyond its own deadline. */
const GRACE_MS = 2000;

/** A client that trusts no frame: each is held against JSON before it counts as an answer. */
export class FrameClient {
  /** What was wrong with frames so far. */
  readonly faults: string[] = [];
  readonly #ws: WebSocket;
  readonly #pending = new Map<number, (answer: Partial<Outcome>) => void>();
  #ids = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('error', (error) => this.faults.push(`socket: ${error.message}`));
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) this.#take(data);
    });
    ws.on('close', (code) => {
      for (const answer of this.#pending.values()) answer({ unanswered: `the socket closed with ${code}` });
      this.#pending.clear();
    });
  }

  /** Opens a WebSocket on a Unix socket. */
  static async open(path: string, token: string): Promise<FrameClient> {
    const headers = { authorization: `Bearer ${token}` };
    const ws = new WebSocket(`ws+unix:${path}:/`, subprotocol, { headers });
    const client = new FrameClient(ws);
    await once(ws, 'open');
    return client;
  }

  get open(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /** Resolves with whatever came, at the latest two seconds after the deadline of the request. */
  async request(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Outcome> {
    if (!this.open) return { method, ms: 0, bytes: 0, unanswered: 'the socket was closed' };
    this.#ids += 1;
    const id = this.#ids;
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Partial<Outcome>>((resolve) => {
      this.#pending.set(id, resolve);
      timer = setTimeout(() => resolve({ unanswered: 'no answer within the deadline' }), timeoutMs + GRACE_MS);
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, timeoutMs } }));
    });
    clearTimeout(timer);
    this.#pending.delete(id);
    return { method, bytes: 0, ...answer, ms: performance.now() - begun };
  }

  async close(): Promise<void> {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#ws, 'close');
    this.#ws.terminate();
    await closed;
  }

  #take(data: Buffer): void {
    let frame: { id?: number; result?: unknown; error?: WireError };
    try {
      frame = JSON.parse(data.toString());
    } catch (error) {
      const begin = data.subarray(0, 300).toString();
      this.faults.push(`a frame that is no JSON: ${error}: ${begin}`);
      const [, id] = /"id":(\d+)/.exec(begin) ?? [];
      this.#pending.get(Number(id))?.({ unanswered: 'a frame that is no JSON' });
      return;
    }
    const strange = strangeNumber(frame);
    if (strange) this.faults.push(`a frame with ${strange}: ${data.subarray(0, 300)}`);
    if (frame.id === undefined) return;
    const { result, error } = frame;
    this.#pending.get(frame.id)?.({ bytes: data.length, ...(error ? { error } : { result }) });
  }
}

/** A number that JSON can write and no program can hold, such as 1e400; undefined where there is none. */
function strangeNumber(value: unknown): string | undefined {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'number' && !Number.isFinite(next)) return `the number ${next}`;
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) open.push(inner);
  }
  return undefined;
}
