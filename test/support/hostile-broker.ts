import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { subprotocol } from '../../src/protocol/limits.js';

/** A frame of the broker: binary, text, or an object that goes as JSON. */
export type HostileFrame = Uint8Array | string | Record<string, unknown>;

/** A request as it came, or a notification, which has no id. */
export interface HostileRequest {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

export type HostileHandler = (request: HostileRequest, socket: HostileSocket) => void;

export const hello = {
  jsonrpc: '2.0',
  method: 'broker.hello',
  params: {
    version: '1.2.3',
    epoch: 'e1',
    heartbeatMs: 30_000,
    limits: {
      ...{ frameBytes: 1_000_000, pendingRequests: 1000, streams: 100, defaultTimeoutMs: 30_000 },
      ...{ streamInitialCreditBytes: 262_144, streamPayloadBytes: 65_536, streamStallMs: 20_000 },
    },
  },
};

/** What `message.source` has: it goes by stream. */
export const BODY = Buffer.from('Subject: x\r\n\r\nhello\r\n');

const watched = { topic: 't', epoch: 'e1', seq: 0 };
const mailboxes = [{ mailbox: 'INBOX', uidValidity: 1, lagMs: 0, state: null }];

/** The results of an honest broker. */
const results: Record<string, Record<string, unknown>> = {
  'broker.ping': { version: '1.2.3', epoch: 'e1', time: '2026-01-01T00:00:00.000Z' },
  'mailbox.create': { mailbox: 'a' },
  'message.append': { uid: 1, uidValidity: 1 },
  'watch.start': { ...watched, mailboxes },
  'watch.stop': { mailboxes: [] },
  'events.resume': { ...watched, mailboxes, missing: [], replayed: 0, resync: false },
};

/** One WebSocket of the client under test. */
export class HostileSocket {
  readonly ws: WebSocket;
  /** Number of the socket, 1 for the first. */
  readonly number: number;
  /** Path and query of its upgrade. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly closed: Promise<number>;
  /** Binary frames of the client. */
  readonly binary: Buffer[] = [];
  readonly #tcp: Socket;
  #streams = 0;

  constructor(ws: WebSocket, { socket: tcp, url = '', headers }: IncomingMessage, number: number) {
    this.ws = ws;
    this.#tcp = tcp;
    this.number = number;
    this.url = url;
    this.authorization = headers.authorization;
    this.closed = once(ws, 'close').then(([code]) => code as number);
    ws.on('error', () => {});
  }

  /** Sends frames in one piece, so that the client finds all of them in one read. */
  send(...frames: HostileFrame[]): void {
    this.#tcp.cork();
    for (const frame of frames) {
      const data = frame instanceof Uint8Array || typeof frame === 'string' ? frame : JSON.stringify(frame);
      this.ws.send(data, { binary: frame instanceof Uint8Array }, () => {});
    }
    this.#tcp.uncork();
  }

  /** Sends bytes beneath the WebSocket. */
  sendRaw(bytes: Uint8Array): void {
    this.#tcp.write(bytes, () => {});
  }

  /** Reads nothing any more. */
  deafen(): void {
    this.#tcp.pause();
  }

  /** Answers as an honest broker does. */
  answer({ id, method }: HostileRequest): void {
    if (id !== undefined) this.send(...this.honest({ id, method }));
  }

  /** The frames of an honest answer. */
  honest({ id, method }: Pick<HostileRequest, 'id' | 'method'>, body = BODY): HostileFrame[] {
    if (method !== 'message.source') return [{ jsonrpc: '2.0', id, result: results[method] ?? {} }];
    const stream = this.newStream();
    return [
      { jsonrpc: '2.0', id, result: { size: body.length, stream, data: null } },
      encodeStreamFrame(StreamFrameType.DATA, stream, body),
      encodeStreamFrame(StreamFrameType.END, stream),
    ];
  }

  newStream(): number {
    this.#streams += 2;
    return this.#streams;
  }
}

/** A broker that speaks as a test says, for what no real broker says. Until it is told otherwise it is honest. */
export class HostileBroker {
  readonly sockets: HostileSocket[] = [];
  /** Called with each new socket, before anything was said. */
  onConnect: (socket: HostileSocket) => void = (socket) => socket.send(hello);
  /** Called with each request and notification of the client. */
  onRequest: HostileHandler = (request, socket) => socket.answer(request);
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (ws, request) => {
      const socket = new HostileSocket(ws, request, this.sockets.length + 1);
      this.sockets.push(socket);
      ws.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) socket.binary.push(data);
        else this.onRequest(JSON.parse(data.toString()) as HostileRequest, socket);
      });
      this.onConnect(socket);
    });
  }

  /** Starts one, which ends with the test at the latest. */
  static async start(): Promise<HostileBroker> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => subprotocol });
    await once(server, 'listening');
    const broker = new HostileBroker(server);
    onTestFinished(() => broker.stop());
    return broker;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** From now on it is honest. */
  reform(): void {
    this.onConnect = (socket) => socket.send(hello);
    this.onRequest = (request, socket) => socket.answer(request);
  }

  async stop(): Promise<void> {
    for (const { ws } of this.sockets) ws.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
