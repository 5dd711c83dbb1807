import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ErrorData } from '../../src/protocol/errors.js';
import { decodeStreamFrame, encodeStreamFrame, type StreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { subprotocol } from '../../src/protocol/limits.js';

export interface Message {
  id?: string | number | null;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data: ErrorData };
}

export interface RawOptions {
  token?: string;
  headers?: Record<string, string>;
  protocols?: string[];
  autoPong?: boolean;
}

/** A WebSocket that shows every frame, and helps with nothing that a test is about. */
export class RawClient {
  readonly ws: WebSocket;
  readonly messages: Message[] = [];
  readonly frames: StreamFrame[] = [];
  readonly closed: Promise<number>;
  #lastId = 0;
  #watchers = new Set<() => void>();

  private constructor(url: string, options: RawOptions) {
    const { token = 'good', headers = {}, protocols = [subprotocol], autoPong = true } = options;
    const target = url.startsWith('unix:') ? `ws+unix:${url.slice('unix:'.length)}:/` : url;
    this.ws = new WebSocket(target, protocols, { headers: { authorization: `Bearer ${token}`, ...headers }, autoPong });
    this.ws.on('error', () => {});
    this.ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.frames.push(decodeStreamFrame(data));
      else this.messages.push(JSON.parse(data.toString()) as Message);
      for (const watcher of this.#watchers) watcher();
    });
    this.closed = new Promise((resolve) => this.ws.once('close', resolve));
  }

  /** Opens one; resolves when the hello is there. */
  static async open(url: string, options: RawOptions = {}): Promise<RawClient> {
    const client = new RawClient(url, options);
    await Promise.race([
      client.until(() => client.notification('broker.hello')),
      once(client.ws, 'unexpected-response'),
    ]);
    return client;
  }

  /** Resolves with what the question finds, as soon as a frame makes it find something. */
  until<T>(question: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const ask = () => {
        const found = question();
        if (found === undefined || found === false) return;
        this.#watchers.delete(ask);
        resolve(found);
      };
      this.#watchers.add(ask);
      void this.closed.then((code) => reject(new Error(`The socket was closed with ${code}.`)));
      ask();
    });
  }

  notification(method: string): Message | undefined {
    return this.messages.find((message) => message.method === method);
  }

  answersTo(id: string | number | null): Message[] {
    return this.messages.filter((message) => message.method === undefined && message.id === id);
  }

  send(message: unknown): void {
    this.ws.send(JSON.stringify(message));
  }

  /** Sends a request; answers its id. */
  ask(method: string, params: Record<string, unknown> = {}): number {
    this.#lastId += 1;
    this.send({ jsonrpc: '2.0', id: this.#lastId, method, params });
    return this.#lastId;
  }

  answer(id: string | number | null): Promise<Message> {
    return this.until(() => this.answersTo(id)[0]);
  }

  request(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return this.answer(this.ask(method, params));
  }

  notify(method: string, params: Record<string, unknown>): void {
    this.send({ jsonrpc: '2.0', method, params });
  }

  /** Sends a frame of a stream. */
  stream(type: keyof typeof StreamFrameType, id: number, payload?: Uint8Array): void {
    this.ws.send(encodeStreamFrame(StreamFrameType[type], id, payload));
  }

  framesOf(stream: number, type: keyof typeof StreamFrameType): StreamFrame[] {
    return this.frames.filter((frame) => frame.stream === stream && frame.type === StreamFrameType[type]);
  }

  received(stream: number): number {
    return this.framesOf(stream, 'DATA').reduce((sum, { payload }) => sum + payload.length, 0);
  }

  /** The reason in the ABORT of a stream. */
  async aborted(stream: number): Promise<{ kind: string; message: string }> {
    const frame = await this.until(() => this.framesOf(stream, 'ABORT')[0]);
    return JSON.parse(Buffer.from(frame.payload).toString()) as { kind: string; message: string };
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.closed;
  }
}
