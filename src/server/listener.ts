import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCodes, subprotocol } from '../protocol/limits.js';
import type { Tenant } from '../session/tenant.js';
import { tenantOf } from '../session/tenants.js';
import type { SocketLimits } from './limits.js';
import { Socket, type SocketOptions } from './socket.js';

/** Where to listen: a Unix socket, by default for owner and group alone, or a TCP address. */
export type ListenAddress = { unix: string; mode?: number } | { host: string; port: number };

export interface ListenerOptions {
  socket: SocketOptions;
  limits: SocketLimits;
  tenants: readonly Tenant[];
  /** `Origin` headers that are let in; browsers send one, back ends do not. */
  allowedOrigins: readonly string[];
}

const BACKLOG = 1024;

/** Takes WebSockets at its addresses after it has authenticated them in the HTTP upgrade. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #wss: WebSocketServer;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#wss = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.limits.frameBytes,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** Listens; answers the address as a URL of the client, with the real port. */
  async listen(address: ListenAddress): Promise<string> {
    const server = createServer((_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' });
      response.end(`This is imap-broker: open a WebSocket with the subprotocol ${subprotocol}.\n`);
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    if ('unix' in address) await removeStale(address.unix);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const target = 'unix' in address ? { path: address.unix } : { host: address.host, port: address.port };
      server.listen({ ...target, backlog: BACKLOG }, resolve);
    });
    this.#servers.push(server);
    if ('unix' in address) {
      chmodSync(address.unix, address.mode ?? 0o660);
      return `unix:${address.unix}`;
    }
    const { port } = server.address() as AddressInfo;
    return `ws://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
  }

  /** Takes no new sockets, drains those that are there. */
  async drain(graceMs: number): Promise<void> {
    const closed = this.#closeServers();
    await Promise.all([...this.#sockets].map((socket) => socket.drain(graceMs)));
    await closed;
  }

  /** Closes everything at once. */
  async close(): Promise<void> {
    const closed = this.#closeServers();
    await Promise.all([...this.#sockets].map((socket) => socket.close(closeCodes.GOING_AWAY)));
    await closed;
  }

  async #closeServers(): Promise<void> {
    const closing = this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all(closing);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { tenant, refusal } = this.#authenticate(request);
    if (!tenant) {
      refuse(socket, refusal ?? '401 Unauthorized');
      return;
    }
    this.#wss.handleUpgrade(request, socket, head, (ws) => this.#take(ws, tenant));
  }

  #authenticate({ headers }: IncomingMessage): { tenant?: Tenant; refusal?: string } {
    const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    if (!offered.includes(subprotocol)) return { refusal: `400 Bad Request: offer the subprotocol ${subprotocol}` };
    const { origin } = headers;
    if (origin !== undefined && !this.#options.allowedOrigins.includes(origin)) {
      return { refusal: '403 Forbidden: this Origin is not allowed' };
    }
    const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const tenant = token === undefined ? undefined : tenantOf(this.#options.tenants, token);
    if (!tenant) return { refusal: '401 Unauthorized: missing or unknown bearer token' };
    if (this.#sockets.size >= this.#options.limits.sockets) {
      return { refusal: '503 Service Unavailable: too many sockets' };
    }
    return { tenant };
  }

  #take(ws: WebSocket, tenant: Tenant): void {
    const socket = new Socket(ws, tenant, this.#options.socket);
    this.#sockets.add(socket);
    ws.once('close', () => this.#sockets.delete(socket));
  }
}

function refuse(socket: Duplex, refusal: string): void {
  const [status = '', why = status] = refusal.split(': ');
  const challenge = status.startsWith('401') ? 'WWW-Authenticate: Bearer\r\n' : '';
  const body = `${why}\n`;
  const headers = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n${challenge}`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n${body}`);
}

/** A socket file that nobody listens on was left by a crash; one that somebody answers on is not ours to take. */
async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new Error(`Another process listens on ${path} already.`);
  unlinkSync(path);
}
