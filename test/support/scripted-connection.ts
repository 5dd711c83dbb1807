import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { type SecureContext, TLSSocket } from 'node:tls';

/** One command as it came, its literals within. */
export interface ScriptedCommand {
  tag: string;
  /** In capitals; with UID before it where it was sent so: `UID FETCH`. */
  name: string;
  /** All that follows the name. Octets as latin1; a literal stands as `{3}\r\nabc`. */
  args: string;
  /** The whole command without its last CRLF. */
  line: string;
}

export interface ConnectionEvents {
  command(command: ScriptedCommand): void;
  /** A client asks to send a literal of so many octets. A handler that wants it answers with `+`. */
  literal(command: ScriptedCommand, octets: number): void;
  bytes(chunk: Buffer): void;
}

/** One client of a scripted server: what a test says to it, and what it does to it. */
export class ScriptedConnection {
  readonly id: number;
  /** Free for the test's use. */
  readonly notes = new Map<string, unknown>();
  /** The folder that is selected. */
  mailbox: string | undefined;
  readonly #tcp: Socket;
  readonly #events: ConnectionEvents;
  #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #command = '';
  #octets = 0;
  #nextLine: ((line: string) => void) | undefined;
  #deaf = false;

  constructor(id: number, tcp: Socket, events: ConnectionEvents) {
    this.id = id;
    this.#tcp = tcp;
    this.#events = events;
    this.#socket = tcp;
    tcp.on('error', () => {});
  }

  get open(): boolean {
    return !this.#tcp.destroyed;
  }
  get secure(): boolean {
    return this.#socket !== this.#tcp;
  }

  /** Begins to read. */
  listen(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Goes on in TLS: at once, or after STARTTLS. */
  async startTls(secureContext: SecureContext): Promise<void> {
    this.#tcp.removeAllListeners('data');
    const secured = new TLSSocket(this.#tcp, { isServer: true, secureContext });
    secured.on('error', () => {});
    this.#socket = secured;
    await new Promise<void>((resolve) => {
      secured.once('secure', resolve);
      this.#tcp.once('close', () => resolve());
    });
  }

  /** Sends exactly these octets (a string as latin1), with no CRLF added. */
  raw(octets: string | Buffer): void {
    if (!this.#socket.destroyed)
      this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }
  /**
   * Sends any amount of octets, each chunk when the client has taken those before it. Resolves when the last chunk is
   * handed to the socket, or when the connection is closed.
   */
  async stream(chunks: Iterable<Buffer>): Promise<void> {
    for (const chunk of chunks) {
      if (this.#socket.destroyed) return;
      if (this.#socket.write(chunk)) await setImmediate();
      else await drained(this.#socket);
    }
  }
  /** Sends lines (as UTF-8), each with CRLF, in one write. */
  send(...lines: string[]): void {
    this.raw(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'utf8'));
  }
  /** Sends the tagged answer `OK text`. */
  ok(command: ScriptedCommand, text = `${command.name} completed`): void {
    this.send(`${command.tag} OK ${text}`);
  }
  /** Sends the tagged answer `NO text`. */
  no(command: ScriptedCommand, text = `${command.name} refused`): void {
    this.send(`${command.tag} NO ${text}`);
  }
  /** Sends the tagged answer `BAD text`. */
  bad(command: ScriptedCommand, text = `${command.name} not understood`): void {
    this.send(`${command.tag} BAD ${text}`);
  }
  /** The next line is no command but an answer to a `+`. */
  nextLine(handler: (line: string) => void): void {
    this.#nextLine = handler;
  }

  /** Breaks the connection with an RST. */
  reset(): void {
    // Of the TCP socket even under TLS: a TLSSocket cannot be reset itself.
    this.#tcp.resetAndDestroy();
    this.#socket.destroy();
  }
  /** Closes the connection, after what was sent before. */
  end(): void {
    this.#socket.end();
  }
  /** Half-open: takes no octet any more and says nothing, and keeps the connection. */
  freeze(): void {
    this.#deaf = true;
    this.#tcp.pause();
    this.#socket.pause();
  }

  #take(chunk: Buffer): void {
    this.#events.bytes(chunk);
    this.#chunks.push(chunk);
    // A long literal is put together once, when it is complete, and not with every chunk.
    const have = this.#pending.length + this.#chunks.reduce((sum, part) => sum + part.length, 0);
    if (have < this.#octets) return;
    this.#pending = Buffer.concat([this.#pending, ...this.#chunks]);
    this.#chunks = [];
    while (!this.#deaf && this.#step());
  }

  /** Takes one literal or one line off what has come. */
  #step(): boolean {
    if (this.#octets > 0) {
      if (this.#pending.length < this.#octets) return false;
      this.#command += this.#cut(this.#octets);
      this.#octets = 0;
      return true;
    }
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#cut(end);
    this.#cut(2);
    this.#line(line);
    return true;
  }

  #line(line: string): void {
    const answer = this.#nextLine;
    if (answer && !this.#command) {
      this.#nextLine = undefined;
      answer(line);
      return;
    }
    this.#command += line;
    const literal = /\{(\d+)(\+?)\}$/.exec(line);
    if (literal) {
      this.#octets = Number(literal[1]);
      const soFar = parse(this.#command);
      this.#command += '\r\n';
      if (!literal[2]) this.#events.literal(soFar, this.#octets);
      return;
    }
    const command = parse(this.#command);
    this.#command = '';
    this.#events.command(command);
  }

  /** Forgets a command that has begun: its literal was refused. */
  dropCommand(): void {
    this.#command = '';
    this.#octets = 0;
  }

  #cut(length: number): string {
    const text = this.#pending.subarray(0, length).toString('latin1');
    this.#pending = this.#pending.subarray(length);
    return text;
  }
}

/** Resolves when the socket takes more octets, or is closed. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener('drain', done);
      socket.removeListener('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function parse(line: string): ScriptedCommand {
  const [, tag = '', name = '', args = ''] = /^(\S+) ((?:UID )?\S+) ?([\s\S]*)$/i.exec(line) ?? [];
  return { tag, name: name.toUpperCase(), args, line };
}
