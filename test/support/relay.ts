import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface RelayOptions {
  /** What every byte takes in each direction: half of a round trip. */
  delayMs?: number;
}

/** A TCP relay that can be slow, fall silent, or break: the network between the broker and a server. */
export class Relay {
  readonly port: number;
  /** May be changed at any time; bytes already under way keep their delay. */
  delayMs: number;
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<Pair>();
  #accepted = 0;
  #frozen = false;
  #received = 0;

  constructor(server: Server, target: { host: string; port: number }, delayMs: number) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    this.#target = target;
    this.delayMs = delayMs;
    server.on('connection', (client) => this.#relay(client));
  }

  /** Connections open now. */
  get connections(): number {
    return this.#pairs.size;
  }
  /** Bytes that the server has sent, on all connections. */
  get received(): number {
    return this.#received;
  }
  /** Connections ever taken. */
  get accepted(): number {
    return this.#accepted;
  }

  /**
   * Half-open: nothing gets through any more, no byte, no end and no reset, and neither side is told. New connections are
   * taken and stay silent.
   */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) pair.freeze();
  }

  /** Delivers what was held back, and goes on. */
  thaw(): void {
    this.#frozen = false;
    for (const pair of this.#pairs) pair.thaw();
  }

  /** Resets every connection, on both sides. */
  cut(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #relay(client: Socket): void {
    this.#accepted += 1;
    const server = connect({ ...this.#target, noDelay: true });
    server.on('data', (bytes: Buffer) => {
      this.#received += bytes.length;
    });
    const pair = new Pair(client, server, () => this.delayMs);
    if (this.#frozen) pair.freeze();
    this.#pairs.add(pair);
    pair.onClose = () => this.#pairs.delete(pair);
  }
}

/** Listens on a free port of 127.0.0.1 and passes everything on to a server there. */
export async function startRelay(
  target: number | { host: string; port: number },
  options: RelayOptions = {},
): Promise<Relay> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target;
  return new Relay(server, place, options.delayMs ?? 0);
}

/** A client's connection and the one to the server that belongs to it. */
class Pair {
  onClose: () => void = () => {};
  readonly #sockets: [Socket, Socket];
  readonly #pipes: [Pipe, Pipe];
  #frozen = false;
  #broken = false;

  constructor(client: Socket, server: Socket, delayMs: () => number) {
    this.#sockets = [client, server];
    server.allowHalfOpen = true;
    this.#pipes = [new Pipe(client, server, delayMs), new Pipe(server, client, delayMs)];
    let open = 2;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {
        // Its peer must see the same: a reset is passed on as a reset, but not through a frozen network.
        this.#broken = true;
        if (!this.#frozen && !other.destroyed) other.resetAndDestroy();
      });
      socket.on('close', () => {
        open -= 1;
        if (open === 0) this.onClose();
      });
    }
  }

  freeze(): void {
    this.#frozen = true;
    for (const pipe of this.#pipes) pipe.freeze();
  }
  thaw(): void {
    this.#frozen = false;
    if (this.#broken) this.reset();
    else for (const pipe of this.#pipes) pipe.thaw();
  }
  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** One direction. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  /** `undefined` stands for the end. */
  readonly #waiting: Array<{ due: number; chunk: Buffer | undefined }> = [];
  #frozen = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, delayMs: () => number) {
    this.#from = from;
    this.#to = to;
    const take = (chunk: Buffer | undefined) => {
      this.#waiting.push({ due: Date.now() + delayMs(), chunk });
      this.#deliver();
    };
    from.on('data', take);
    from.on('end', () => take(undefined));
    to.on('drain', () => {
      if (!this.#frozen) from.resume();
    });
    to.on('close', () => clearTimeout(this.#timer));
  }

  freeze(): void {
    this.#frozen = true;
    this.#from.pause();
  }
  thaw(): void {
    this.#frozen = false;
    this.#deliver();
    this.#from.resume();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    for (let next = this.#waiting[0]; next && !this.#frozen && !this.#to.destroyed; next = this.#waiting[0]) {
      const wait = next.due - Date.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#deliver(), wait);
        return;
      }
      this.#waiting.shift();
      if (next.chunk === undefined) this.#to.end();
      else if (!this.#to.write(next.chunk)) this.#from.pause();
    }
  }
}
