import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Commands behind which a connection is at work: the login, and all that comes with it, is over. */
const WORK = /^\S+ (?:SELECT|EXAMINE|STATUS|NOOP|UID |FETCH|SEARCH)/im;

interface Pair {
  client: Socket;
  /** Whether it is past its login. */
  working: boolean;
  /** The folder that is selected, as far as the commands tell. */
  selected: string | undefined;
  /** Where an IDLE is: asked for, or answered by the server and not ended. */
  idle: 'asked' | 'begun' | undefined;
  /** What both sides said last. */
  said: string[];
}

/** Packets of a connection that are remembered. */
const MOST_SAID = 300;

/**
 * A TCP relay that writes down what clients say, for looking at their commands, and can break their connections. Only of
 * use for connections without TLS.
 */
export class TappedRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  readonly #onLine: (line: string) => void;
  readonly #onIdle = new Set<() => void>();
  #cuts = 0;

  constructor(server: Server, target: number, onLine: (line: string) => void) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    this.#target = target;
    this.#onLine = onLine;
    server.on('connection', (client) => this.#relay(client));
  }

  /** Connections broken so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Resets every connection that is past its login. Those that log in are left: a failed login is another fault. */
  cut(): void {
    this.#reset(({ working }) => working);
  }

  /** Resets every connection. */
  cutAll(): void {
    this.#reset(() => true);
  }

  /** What was said lately on each connection that is open, with the milliseconds at which it was. */
  get said(): string[] {
    return Array.from(this.#pairs, ({ said }) => said.join('\n'));
  }

  /** Resolves when a connection idles on a folder; false when the time is over before. */
  untilIdle(mailbox: string, timeoutMs: number): Promise<boolean> {
    const idles = () => [...this.#pairs].some(({ selected, idle }) => idle === 'begun' && selected === mailbox);
    if (idles()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (answer: boolean) => {
        clearTimeout(timer);
        this.#onIdle.delete(look);
        resolve(answer);
      };
      const look = () => {
        if (idles()) settle(true);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#onIdle.add(look);
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { client } of this.#pairs) client.destroy();
    await closed;
  }

  #reset(chosen: (pair: Pair) => boolean): void {
    for (const pair of this.#pairs) {
      if (!chosen(pair) || pair.client.destroyed) continue;
      this.#cuts += 1;
      pair.client.resetAndDestroy();
    }
  }

  #relay(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client, working: false, selected: undefined, idle: undefined, said: [] };
    const note = (who: string, text: string) => {
      pair.said.push(`${performance.now().toFixed(1)} ${who} ${text.trimEnd()}`);
      if (pair.said.length > MOST_SAID) pair.said.shift();
    };
    this.#pairs.add(pair);
    const lines = lineTaker((line) => {
      const [, mailbox] = /^\S+ (?:SELECT|EXAMINE) ("(?:[^"\\]|\\.)*"|\S+)/i.exec(line) ?? [];
      if (mailbox !== undefined) pair.selected = mailbox.replace(/^"|"$/g, '');
      pair.idle = /^\S+ IDLE$/i.test(line) ? 'asked' : undefined;
      this.#onLine(line);
    });
    client.on('data', (chunk: Buffer) => {
      server.write(chunk);
      const text = chunk.toString('latin1');
      if (!pair.working && WORK.test(text)) pair.working = true;
      note('C:', text);
      lines.take(text);
    });
    server.on('data', (chunk: Buffer) => {
      client.write(chunk);
      const text = chunk.toString('latin1');
      lines.answered(text);
      if (pair.idle === 'asked' && /^\+/m.test(text)) {
        pair.idle = 'begun';
        for (const look of this.#onIdle) look();
      }
      note('S:', text);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {});
      socket.on('end', () => other.end());
      socket.on('close', () => other.destroy());
    }
    client.on('close', () => this.#pairs.delete(pair));
  }
}

/** Puts commands together, without the octets of their literals, from what the client sends and the server answers. */
function lineTaker(onLine: (line: string) => void): { take(text: string): void; answered(text: string): void } {
  let pending = '';
  let command = '';
  let octets = 0;
  const answered = (text: string) => {
    if (octets === 0 || pending !== '') return;
    // Refused before its literal, which does not come then.
    const [tag] = command.split(' ');
    if (!text.split('\r\n').some((line) => line.startsWith(`${tag} NO `) || line.startsWith(`${tag} BAD `))) return;
    onLine(command);
    octets = 0;
    command = '';
  };
  const take = (text: string) => {
    pending += text;
    for (;;) {
      if (octets > pending.length) return;
      pending = pending.slice(octets);
      octets = 0;
      const end = pending.indexOf('\r\n');
      if (end < 0) return;
      const line = pending.slice(0, end);
      command += line;
      pending = pending.slice(end + 2);
      const literal = /\{(\d+)\+?\}$/.exec(line);
      if (literal) {
        octets = Number(literal[1]);
        continue;
      }
      onLine(command);
      command = '';
    }
  };
  return { take, answered };
}

/** Listens on a free port of 127.0.0.1 and passes everything on to a port there. */
export async function startTappedRelay(
  target: number,
  onLine: (line: string) => void = () => {},
): Promise<TappedRelay> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new TappedRelay(server, target, onLine);
}
