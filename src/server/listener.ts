import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { type WebSocket, WebSocketServer } from 'ws';
import { BrokerError } from '../protocol/errors.js';
import { closeCodes, subprotocol } from '../protocol/limits.js';
import { passedSockets } from '../runtime/passed-sockets.js';
import { type Tenant, tenantWith } from '../session/tenant.js';
import { Socket } from './socket.js';
import type { SocketOptions } from './socket-options.js';
import { removeStaleSocket } from './stale-socket.js';
import { TenantUse, type Use } from './tenant-use.js';
import { admitCaller, refuseUpgrade } from './upgrade.js';

/**
 * Where to listen: a Unix socket, by default for owner and group alone, a TCP address, or a socket that the service manager
 * has passed under a name. A client that may open a socket for operators is an operator, without a token.
 */
export type ListenAddress =
  | { unix: string; mode?: number; forOperators?: boolean }
  | { host: string; port: number; tls?: ListenerTls | undefined }
  | { passed: string; tls?: ListenerTls | undefined };

/** Certificate and key of a listener in PEM, and the authority of client certificates where those are asked for. */
export interface ListenerTls {
  cert: string;
  key: string;
  clientCa?: string | undefined;
}

export interface ListenerOptions {
  socket: SocketOptions;
  tenants: readonly Tenant[];
  /** `Origin` headers that are let in; browsers send one, back ends do not. */
  allowedOrigins: readonly string[];
  /** `Host` headers that are let in without TLS beside localhost and IP addresses. */
  allowedHosts: readonly string[];
  /**
   * Answers HTTP requests that ask for no WebSocket, among them those for the page; WebSockets are then for operators
   * who use that page. Default: the answer that a WebSocket is needed.
   */
  onRequest?: RequestListener;
}

interface Listening {
  server: Server;
  address: ListenAddress;
  forOperators: boolean;
}

/** The options of a listener that may change while it listens. */
export type ListenerChanges = Pick<ListenerOptions, 'tenants' | 'allowedOrigins' | 'allowedHosts'> & {
  /** For addresses that the listener already has, their certificates are taken. */
  addresses: readonly ListenAddress[];
};

/** The tenant of clients that come by the admin socket. No tenant of a configuration has a blank in its name. */
const operator = tenantWith({ name: 'admin socket', scopes: ['admin'] });

const BACKLOG = 1024;
/** Milliseconds that a peer has for its request. */
const REQUEST_MS = 10_000;
/** Milliseconds that the end of a broker waits for the answers of operators. */
const OPERATORS_MS = 1_000;
/** TCP connections beyond the sockets: those that are about to be refused with a reason. */
const SPARE_CONNECTIONS = 100;

/** Takes WebSockets at its addresses, after their clients were authenticated in the HTTP upgrade. */
export class Listener {
  #options: ListenerOptions;
  readonly #servers: Listening[] = [];
  readonly #closing: Promise<void>[] = [];
  readonly #sockets = new Set<Socket>();
  /** Sockets that are closed, of which keyed writes still run. */
  readonly #lingering = new Set<Socket>();
  readonly #uses = new Map<string, TenantUse>();
  readonly #wss: WebSocketServer;
  readonly #givingBack = new Set<NodeJS.Timeout>();
  #opened = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#wss = new WebSocketServer({
      noServer: true,
      // A pong for every ping, whether the peer reads or not, would be memory without bound: Socket answers itself.
      autoPong: false,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.socket.limits.now.frameBytes,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** The sockets themselves, the oldest first. */
  get all(): Iterable<Socket> {
    return this.#sockets;
  }

  /** What each tenant uses that has had a socket. */
  get uses(): Map<string, Use> {
    return new Map([...this.#uses].map(([tenant, use]) => [tenant, use.now]));
  }

  /** Most sockets that each tenant may have, of those that have had a socket. */
  get socketsLimits(): Map<string, number> {
    return new Map([...this.#uses].map(([tenant, use]) => [tenant, use.socketsLimit]));
  }

  /**
   * Listens; answers the address as a URL of the client, with the real port, or `systemd:NAME` for a passed Unix
   * socket, whose path only its unit knows.
   * @throws when the address is taken or not allowed, or no such socket was passed
   */
  async listen(address: ListenAddress): Promise<string> {
    const tls = tlsOf(address);
    const forOperators = 'unix' in address && address.forOperators === true;
    const server = this.#server(tls, forOperators ? operator : undefined);
    if ('unix' in address) await removeStaleSocket(address.unix);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // The backlog is not among the options: there Node ignores it where the socket was passed.
      server.listen(listenTarget(address), BACKLOG, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#servers.push({ server, address, forOperators });
    // Out of descriptors for instance: open sockets go on, and the listener as well.
    server.on('error', (err) => this.#options.socket.log.error({ err }, 'a listener failed'));
    if ('unix' in address) {
      chmodSync(address.unix, address.mode ?? 0o660);
      return `unix:${address.unix}`;
    }
    const bound = server.address();
    if (bound === null || typeof bound === 'string') return `systemd:${'passed' in address ? address.passed : bound}`;
    // The configuration's rule for TCP holds for a socket that the service manager has opened, too.
    if ('passed' in address && !tls && !isLoopbackAddress(bound))
      throw new Error(`${bound.address} is not a loopback address: that needs TLS.`);
    const host = 'host' in address ? address.host : bound.address;
    return `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
  }

  /**
   * Applies other tenants, origins, hosts and certificates, and the limits of its sockets as they are now.
   * @param graceMs milliseconds that running requests of removed tenants may take
   * @returns resolves when the sockets of removed tenants are closed
   */
  async update({ tenants, addresses, ...admission }: ListenerChanges, graceMs: number): Promise<void> {
    const before = new Set(this.#options.tenants.map(({ name }) => name));
    // Open sockets look up here what their tenant may do.
    for (const tenant of tenants) this.#uses.get(tenant.name)?.tenant.replace(tenant);
    this.#options = { ...this.#options, ...admission, tenants };
    this.#wss.options.maxPayload = this.#options.socket.limits.now.frameBytes;
    for (const { server, address } of this.#servers) {
      server.maxConnections = this.#maxConnections;
      const tls = tlsOf(addresses.find((other) => isSameAddress(address, other)));
      if (tls && server instanceof TlsServer) server.setSecureContext(contextOf(tls));
    }
    const names = new Set(tenants.map(({ name }) => name));
    const isGone = ({ tenant }: Socket) => before.has(tenant) && !names.has(tenant);
    const gone = [...this.#sockets].filter(isGone).map((socket) => socket.drain(graceMs));
    const lingering = [...this.#lingering].filter(isGone).map((socket) => socket.finish(graceMs));
    for (const name of this.#uses.keys()) if (before.has(name) && !names.has(name)) this.#uses.delete(name);
    await Promise.all([...gone, ...lingering]);
  }

  get #maxConnections(): number {
    return this.#options.socket.limits.now.sockets + SPARE_CONNECTIONS;
  }

  /** Closes a socket. @returns its tenant; `undefined` where no socket has this id */
  kick(id: string): string | undefined {
    const socket = [...this.#sockets].find((one) => one.id === id);
    void socket?.close(closeCodes.KICKED);
    return socket?.tenant;
  }

  /** Takes no new sockets and drains the open ones; operators may come and stay until {@link close}. */
  async drain(graceMs: number): Promise<void> {
    this.#closeServers(({ forOperators }) => !forOperators);
    const draining = this.#tenantSockets.map((socket) => socket.drain(graceMs));
    await Promise.all([...draining, ...[...this.#lingering].map((socket) => socket.finish(graceMs))]);
  }

  /** The broker stood still: its callers have given up meanwhile, so waiting requests are cancelled and all sockets are closed. */
  standStill(reason: BrokerError): void {
    for (const socket of this.#lingering) socket.abandon(reason);
    for (const socket of this.#sockets) void socket.standStill(reason);
  }

  /** Waits for the answers to the requests of operators, a moment at most. */
  async answerOperators(): Promise<void> {
    const operators = [...this.#sockets].filter(({ forOperators }) => forOperators);
    await Promise.all(operators.map((socket) => socket.idle(OPERATORS_MS)));
  }

  /** What is under way for tenants. */
  get remaining(): { requests: number; streams: number; sockets: number } {
    const sockets = this.#tenantSockets;
    const sum = (count: (socket: Socket) => number) => sockets.reduce((total, socket) => total + count(socket), 0);
    return {
      requests: sum(({ running }) => running) + [...this.#lingering].reduce((all, { running }) => all + running, 0),
      streams: sum(({ openStreams }) => openStreams),
      sockets: sockets.length,
    };
  }

  get #tenantSockets(): Socket[] {
    return [...this.#sockets].filter(({ forOperators }) => !forOperators);
  }

  /** Closes everything at once. */
  async close(): Promise<void> {
    this.#closeServers(() => true);
    for (const timer of this.#givingBack) clearTimeout(timer);
    const closed = [...this.#sockets].map((socket) => socket.close(closeCodes.GOING_AWAY));
    const stopped = new BrokerError('DRAINING', 'The broker has stopped.');
    for (const socket of [...this.#sockets, ...this.#lingering]) socket.abandon(stopped);
    await Promise.all(closed);
    await Promise.all(this.#closing);
  }

  #server(tls: ListenerTls | undefined, defaultTenant: Tenant | undefined): Server {
    const options = { noDelay: true, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS };
    const server = tls ? tlsServer(options, tls) : createServer(options);
    server.maxConnections = this.#maxConnections;
    server.on('request', this.#options.onRequest ?? needsWebSocket);
    server.on('upgrade', (request, socket, head) => {
      const { tenants, allowedOrigins, allowedHosts } = this.#options;
      const admission = admitCaller(request.headers, {
        tenants,
        allowedOrigins,
        allowedHosts: tls ? undefined : allowedHosts,
        full: this.#sockets.size >= this.#options.socket.limits.now.sockets,
        isFull: (tenant) => this.#useOf(tenant).full,
        certificateName: certificateNameOf(socket),
        defaultTenant,
        pageOnly: this.#options.onRequest !== undefined,
      });
      if ('tenant' in admission) {
        this.#wss.handleUpgrade(request, socket, head, (ws) => this.#take(ws, request, admission.tenant));
      } else {
        refuseUpgrade(socket, admission);
      }
    });
    return server;
  }

  #useOf(tenant: Tenant): TenantUse {
    const use = this.#uses.get(tenant.name) ?? new TenantUse(tenant);
    this.#uses.set(tenant.name, use);
    return use;
  }

  /** Lets servers take no more sockets. A server closes with its last socket; an operator's may stay for long. */
  #closeServers(isConcerned: (entry: { forOperators: boolean }) => boolean): void {
    const entries = this.#servers.splice(0);
    this.#servers.push(...entries.filter((entry) => !isConcerned(entry)));
    const servers = entries.filter(isConcerned).map(({ server }) => server);
    for (const server of servers) this.#closing.push(new Promise((resolve) => server.close(() => resolve())));
    // Closes connections that have not asked for anything yet; WebSockets are not among them.
    for (const server of servers) server.closeAllConnections();
  }

  #take(ws: WebSocket, { socket: { remoteAddress, remotePort }, url }: IncomingMessage, tenant: Tenant): void {
    this.#opened += 1;
    const kind = this.#options.onRequest ? 'page' : 'socket';
    const name = { id: `${kind}-${this.#opened}`, peer: peerOf(remoteAddress, remotePort), shard: shardOfUrl(url) };
    const socket = new Socket(ws, name, this.#useOf(tenant), this.#options.socket);
    this.#sockets.add(socket);
    // Operators look on for as long as they want, and their users are on no broker in particular.
    if (!socket.forOperators) socket.retireAfter(this.#options.socket.limits.now.ageMs, () => this.#retired(socket));
    ws.once('close', () => {
      this.#sockets.delete(socket);
      if (socket.running > 0) void this.#linger(socket);
    });
  }

  /** Where the users of a socket that came of age have moved to another broker, this one keeps no connections for them. */
  #retired({ accounts, tenant, shard }: Socket): void {
    const timer = setTimeout(() => {
      this.#givingBack.delete(timer);
      const stays = [...this.#sockets].filter((socket) => socket.tenant === tenant && !socket.retiring);
      if (stays.some((socket) => socket.shard === shard)) return;
      const { hub, registry } = this.#options.socket.services;
      for (const key of accounts) {
        if (stays.some((socket) => socket.accounts.has(key))) continue;
        hub.giveUp(key);
        registry.giveBack(key);
      }
    }, this.#options.socket.limits.now.movedMs).unref();
    this.#givingBack.add(timer);
  }

  async #linger(socket: Socket): Promise<void> {
    this.#lingering.add(socket);
    await socket.answered();
    this.#lingering.delete(socket);
  }
}

/** Address and port; a Unix socket's peer has none. */
function peerOf(remoteAddress: string | undefined, remotePort: number | undefined): string {
  if (remoteAddress === undefined) return 'unix';
  return `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

/** The shard in the URL of an upgrade, as far as it is a number of few digits. */
function shardOfUrl(url = ''): string | undefined {
  return /[?&]shard=(\d{1,4})(?:&|$)/.exec(url)?.[1];
}

const needsWebSocket: RequestListener = (_request, response) => {
  response.writeHead(426, { 'content-type': 'text/plain', connection: 'close', upgrade: 'websocket' });
  response.end(`This is imap-broker: open a WebSocket with the subprotocol ${subprotocol}.\n`);
};

function listenTarget(address: ListenAddress): { path: string } | { host: string; port: number } | { fd: number } {
  if ('unix' in address) return { path: address.unix };
  if ('host' in address) return { host: address.host, port: address.port };
  const fd = passedSockets().get(address.passed);
  if (fd !== undefined) return { fd };
  throw new Error(`systemd has passed no socket with FileDescriptorName=${address.passed}.`);
}

function isLoopbackAddress({ address, family }: AddressInfo): boolean {
  return family === 'IPv4' ? address.startsWith('127.') : address === '::1';
}

function tlsServer(options: ServerOptions, tls: ListenerTls): Server {
  // A client without a certificate may still show a bearer token.
  const clients = tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
  return createTlsServer({ ...options, ...contextOf(tls), handshakeTimeout: REQUEST_MS, ...clients });
}

function contextOf({ cert, key, clientCa }: ListenerTls): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

function tlsOf(address: ListenAddress | undefined): ListenerTls | undefined {
  return address && 'tls' in address ? address.tls : undefined;
}

function isSameAddress(one: ListenAddress, other: ListenAddress): boolean {
  const { tls: _one, ...where } = { tls: undefined, ...one };
  const { tls: _other, ...there } = { tls: undefined, ...other };
  return isDeepStrictEqual(where, there);
}

/** The common name of a client certificate that the listener's authority signed. */
function certificateNameOf(socket: Duplex): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { CN: name } = socket.getPeerCertificate().subject ?? {};
  return typeof name === 'string' ? name : undefined;
}
