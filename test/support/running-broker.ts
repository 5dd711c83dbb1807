import { once } from 'node:events';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/options.js';
import type { MethodName, ParamsIn, Result } from '../../src/protocol/contract.js';
import type { WireError } from '../../src/protocol/errors.js';
import { subprotocol } from '../../src/protocol/limits.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { type Dovecot, PASSWORD } from './dovecot.js';
import type { TestServer } from './test-server.js';

export const TOKEN = 'a-bearer-token-for-tests';
export const OTHER_TOKEN = 'a-bearer-token-of-another-tenant';

/** A broker in this process, in front of a mail server, on a TCP port of its own. */
export async function runBroker(
  server: Pick<TestServer, 'server'>,
  overrides: Partial<BrokerOptions> = {},
): Promise<Broker & { url: string }> {
  const broker = await Broker.start({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'helpdesk', tokenHashes: [hashToken(OTHER_TOKEN)] }),
    ],
    servers: [server.server()],
    log: pino({ level: 'silent' }),
    ...overrides,
  });
  return Object.assign(broker, { url: broker.urls[0] ?? '' });
}

/** A broker in front of a Dovecot, and a client of it. */
export interface ServedMail {
  dovecot: Dovecot;
  broker: Broker & { url: string };
  client: RawClient;
  /** Ends them all. */
  stop(): Promise<void>;
}

/** For tests that ask and look at the answers, whose shape is checked; the Dovecot ends with it. */
export async function serveMail(dovecot: Dovecot): Promise<ServedMail> {
  const broker = await runBroker(dovecot, { checkResults: true });
  const client = await RawClient.open(broker.url);
  const stop = async () => {
    await client.close();
    await broker.stop();
    await dovecot.stop();
  };
  return { dovecot, broker, client, stop };
}

/** An answer's error as a rejection. */
export class AnsweredError extends Error {
  readonly code: number;
  readonly data: WireError['data'];

  constructor({ code, message, data }: WireError) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The simplest client there can be: frames as they are, so that a test sees what is on the wire. */
export class RawClient {
  readonly ws: WebSocket;
  readonly notifications: { method: string; params: Record<string, unknown> }[] = [];
  readonly binary: Buffer[] = [];
  readonly #pending = new Map<string | number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #onBinary: ((frame: Buffer) => void)[] = [];
  readonly #onNotification: ((frame: { method: string; params: Record<string, unknown> }) => void)[] = [];
  #ids = 0;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('error', () => {});
    ws.on('message', (data: Buffer, isBinary: boolean) => (isBinary ? this.#takeBinary(data) : this.#take(data)));
    ws.on('close', (code) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`closed with ${code}`));
      this.#pending.clear();
    });
  }

  static async open(url: string, token = TOKEN, headers: Record<string, string> = {}): Promise<RawClient> {
    const ws = new WebSocket(url, subprotocol, { headers: { authorization: `Bearer ${token}`, ...headers } });
    const client = new RawClient(ws);
    await once(ws, 'open');
    return client;
  }

  /** Opens a session of a user at the Dovecot of the broker. */
  async login(user: string, password = PASSWORD): Promise<string> {
    const { session } = await this.call('session.open', { server: 'dovecot', user, auth: { password } });
    return session;
  }

  call<M extends MethodName>(method: M, params: ParamsIn<M>): Promise<Result<M>> {
    return this.request(method, params).answer as Promise<Result<M>>;
  }

  request(method: string, params: unknown): { id: number; answer: Promise<unknown> } {
    this.#ids += 1;
    const id = this.#ids;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    answer.catch(() => {});
    this.ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return { id, answer };
  }

  notify(method: string, params: unknown): void {
    this.ws.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** Calls the listener with each notification from now on. */
  onNotification(listener: (frame: { method: string; params: Record<string, unknown> }) => void): void {
    this.#onNotification.push(listener);
  }

  /** Calls the listener with each binary frame from now on. */
  onBinary(listener: (frame: Buffer) => void): void {
    this.#onBinary.push(listener);
  }

  async close(): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return;
    const closed = once(this.ws, 'close');
    this.ws.close();
    await closed;
  }

  #takeBinary(frame: Buffer): void {
    this.binary.push(frame);
    for (const listener of this.#onBinary) listener(frame);
  }

  #take(data: Buffer): void {
    const frame = JSON.parse(data.toString());
    if (frame.id === undefined) {
      this.notifications.push(frame);
      for (const listener of this.#onNotification) listener(frame);
      return;
    }
    const pending = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    if (frame.error) pending?.reject(new AnsweredError(frame.error));
    else pending?.resolve(frame.result);
  }
}
