import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const COMMAND = /^\S+ (?:UID )?([A-Z]+)/i;

/** A TCP relay before an IMAP server in the clear that counts what goes through: the server's own view of a broker. */
export class CountingRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #commands = new Map<string, number>();
  #open = 0;
  #most = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (client) =>
      this.#relay(client, connect({ port: target, host: '127.0.0.1', noDelay: true })),
    );
  }

  static async start(target: number): Promise<CountingRelay> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CountingRelay(server, target);
  }

  /** Commands of this name since {@link reset}, with and without UID. */
  count(command: string): number {
    return this.#commands.get(command) ?? 0;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#open;
  }

  /** Most connections that were open at once since {@link reset}. */
  get mostConnections(): number {
    return this.#most;
  }

  reset(): void {
    this.#commands.clear();
    this.#most = this.#open;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #relay(client: Socket, server: Socket): void {
    this.#open += 1;
    this.#most = Math.max(this.#most, this.#open);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    }
    let rest = '';
    client.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#see(line);
    });
    client.pipe(server);
    server.pipe(client);
    client.once('close', () => {
      this.#open -= 1;
      server.destroy();
    });
    server.once('close', () => client.destroy());
  }

  #see(line: string): void {
    const name = COMMAND.exec(line)?.[1]?.toUpperCase();
    if (name !== undefined) this.#commands.set(name, (this.#commands.get(name) ?? 0) + 1);
  }
}
