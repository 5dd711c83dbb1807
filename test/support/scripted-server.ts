import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { certificates } from './certificates.js';
import { type ScriptedCommand, ScriptedConnection } from './scripted-connection.js';
import { defaultHandlers, type ScriptedHandler, type ScriptedManners } from './scripted-defaults.js';
import { upstream } from './upstream.js';

export type { ScriptedCommand, ScriptedConnection } from './scripted-connection.js';
export type { ScriptedHandler } from './scripted-defaults.js';

export interface ScriptedOptions extends Partial<ScriptedManners> {
  /** Default `none`; `never`: takes the connection and leaves the TLS handshake unanswered. */
  tls?: ServerOptions['tls'] | 'never';
  /** The first line; `null`: it never comes. */
  greeting?: string | null;
  /** Overrides by command, such as `SELECT` or `UID FETCH`; `*` is for all that has no other answer. */
  on?: Record<string, ScriptedHandler>;
  /** Called with every new connection, before TLS and greeting. */
  onConnect?: (connection: ScriptedConnection) => void;
  /** Called when a connection has its TLS and takes commands, before the greeting. */
  onReady?: (connection: ScriptedConnection) => void;
  /** Answers the announcement of a literal; default: `+ OK`. A `NO` should be followed by `dropCommand()`. */
  onLiteral?: (command: ScriptedCommand, connection: ScriptedConnection, octets: number) => void;
}

/** An IMAP server that does as the test says, for what no real server can be made to do. */
export class ScriptedServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly ca = certificates().ca;
  /** Every command so far, of all connections, without its last CRLF. */
  readonly received: string[] = [];
  /** Connections open now, oldest first. */
  readonly connections = new Set<ScriptedConnection>();
  /** Overrides; may be changed at any time. */
  readonly on: Record<string, ScriptedHandler>;
  readonly #defaults: Record<string, ScriptedHandler>;
  readonly #options: ScriptedOptions;
  readonly #manners: ScriptedManners;
  readonly #server: Server;
  readonly #secureContext: SecureContext;
  readonly #bytes: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  #accepted = 0;

  constructor(server: Server, options: ScriptedOptions) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    this.#options = options;
    const starttls = options.tls === 'starttls' ? ' STARTTLS' : '';
    const capabilities = options.capabilities ?? 'IMAP4rev1 SASL-IR AUTH=PLAIN ID NAMESPACE IDLE UIDPLUS';
    this.#manners = {
      capabilities: capabilities + starttls,
      login: options.login ?? `OK [CAPABILITY ${capabilities}] Logged in`,
      exists: options.exists ?? 0,
    };
    this.#defaults = defaultHandlers(this.#manners);
    this.on = { ...options.on };
    const { cert, key } = certificates();
    this.#secureContext = createSecureContext({ cert, key });
    server.on('connection', (socket) => void this.#serve(socket));
  }

  /** Connections ever taken. */
  get accepted(): number {
    return this.#accepted;
  }
  /** All octets that clients sent (after TLS), in the order of arrival. */
  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }

  /** The names of the commands so far. */
  names(): string[] {
    return this.received.map((line) => /^\S+ ((?:UID )?\S+)/i.exec(line)?.[1]?.toUpperCase() ?? line);
  }

  /** How the broker reaches it. */
  server(overrides: Partial<ServerOptions> = {}): ServerOptions {
    const { tls = 'none' } = this.#options;
    return upstream('scripted', this.port, { tls: tls === 'never' ? 'implicit' : tls, ...overrides });
  }

  /** Answers as if there were no override: for overrides that only add something. */
  answer(command: ScriptedCommand, connection: ScriptedConnection): void | Promise<void> {
    if (command.name === 'STARTTLS' && this.#options.tls === 'starttls') {
      connection.ok(command);
      return connection.startTls(this.#secureContext).then(() => connection.listen());
    }
    const handler = this.#defaults[command.name];
    return handler ? handler(command, connection) : connection.bad(command, 'Unknown command');
  }

  /** Breaks every open connection with an RST and goes on listening. */
  cut(): void {
    for (const connection of this.connections) connection.reset();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#accepted += 1;
    const connection: ScriptedConnection = new ScriptedConnection(this.#accepted, socket, {
      bytes: (chunk) => this.#bytes.push(chunk),
      command: (command) => {
        this.received.push(command.line);
        const override = this.on[command.name] ?? (this.#defaults[command.name] ? undefined : this.on['*']);
        void (override ? override(command, connection) : this.answer(command, connection));
      },
      literal: (command, octets) =>
        this.#options.onLiteral ? this.#options.onLiteral(command, connection, octets) : connection.send('+ OK'),
    });
    this.#sockets.add(socket);
    this.connections.add(connection);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.connections.delete(connection);
    });
    this.#options.onConnect?.(connection);
    const { tls, greeting } = this.#options;
    // Paused or not, a connection that is not read must notice its end.
    if (tls === 'never') socket.resume();
    else {
      if (tls === 'implicit') await connection.startTls(this.#secureContext);
      if (!connection.open) return;
      connection.listen();
      this.#options.onReady?.(connection);
      if (greeting !== null) connection.send(greeting ?? `* OK [CAPABILITY ${this.#manners.capabilities}] Scripted`);
    }
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function startScriptedServer(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new ScriptedServer(server, options);
}
