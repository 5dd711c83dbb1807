import { connect, type OnReadOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ImapTransport, ImapTransportOptions, ImapTransportSocket } from 'imapflow';
import { SocketCarrier } from '../wire/carrier.js';
import type { Progress } from './failures.js';
import type { ServerOptions } from './server-options.js';
import { LoginStream } from './stream.js';

/**
 * Milliseconds for one address of a host name with several: Node's default of 250 is too short for servers on another
 * continent, and would end every attempt. The connect timeout leaves time for a few more addresses.
 */
export function attemptTimeout({ connectTimeoutMs }: Pick<ServerOptions, 'connectTimeoutMs'>): number {
  return Math.max(250, Math.floor(connectTimeoutMs / 4));
}

/** Opens and secures the sockets on which imapflow logs in, so that the broker owns them afterwards. */
export class LoginTransport implements ImapTransport {
  readonly #server: ServerOptions;
  #stream: LoginStream | undefined;
  #greeted = false;
  #upgraded = false;

  constructor(server: ServerOptions) {
    this.#server = server;
  }

  /** The stream opened last. */
  get stream(): LoginStream | undefined {
    return this.#stream;
  }

  /** How far the connection has come. */
  get progress(): Progress {
    const greeted = this.#greeted || (this.#stream?.greeted ?? false);
    return { greeted, secured: greeted && (this.#server.tls !== 'starttls' || this.#upgraded) };
  }

  connect = (options: ImapTransportOptions & { secure: boolean }, onConnect: () => void): ImapTransportSocket => {
    const { host, port } = this.#server;
    const address = { host, port, autoSelectFamilyAttemptTimeout: attemptTimeout(this.#server) };
    const open = (reading: { onread?: OnReadOpts }) =>
      options.secure
        ? connectTls({ ...this.#tls(options), ...address, ...reading }, onConnect)
        : connect({ ...address, ...reading }, onConnect);
    // With STARTTLS the TLS socket reads from the plain one later, so no buffer may be bound to the plain one.
    return this.#streamOf(new SocketCarrier(open, this.#server.tls !== 'starttls'));
  };

  upgrade = (socket: ImapTransportSocket, options: ImapTransportOptions, onSecure: () => void): ImapTransportSocket => {
    const plain = socket as LoginStream;
    if (plain.hasMore) throw new Error('STARTTLS_INJECTION: the server said more behind its answer to STARTTLS');
    this.#greeted = plain.greeted;
    const secured = () => {
      this.#upgraded = true;
      onSecure();
    };
    const { carrier } = plain.release();
    const open = () =>
      connectTls({ ...this.#tls(options), host: this.#server.host, socket: carrier.release() }, secured);
    return this.#streamOf(new SocketCarrier(open, false));
  };

  #streamOf(carrier: SocketCarrier): ImapTransportSocket {
    carrier.socket.once('connect', () => carrier.connected());
    this.#stream = new LoginStream(carrier);
    return this.#stream as ImapTransportSocket;
  }

  #tls({ servername }: ImapTransportOptions) {
    const { secureContext } = this.#server;
    return {
      ...(servername === undefined ? {} : { servername }),
      secureContext,
      minVersion: 'TLSv1.2' as const,
      rejectUnauthorized: true,
    };
  }
}
