import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What the server said to one command: its tagged answer, and the untagged ones before it. */
export interface LeanReply {
  status: 'OK' | 'NO' | 'BAD';
  text: string;
  /** Whole, without `* ` and CRLF; a literal stands as `{3}\r\nabc`. Octets as latin1. */
  untagged: string[];
}

interface Waiting {
  tag: string;
  resolve(reply: LeanReply): void;
  reject(error: Error): void;
}

/**
 * Another mail client that costs next to nothing: commands as text, all of them in one packet, answers as text. It knows
 * no more of IMAP than tags and literals, so it shares no mistake with the broker's library.
 */
export class LeanImap {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  /** What is still to be sent: each part begins with a literal, for which the server must ask. */
  readonly #parts: { tag: string; octets: number; text: string }[] = [];
  #pending = '';
  #untagged: string[] = [];
  #tags = 0;
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#end(new Error(`the server closed the connection: ${this.#untagged.at(-1) ?? ''}`)));
  }

  /** Connects in the clear and logs in. */
  static async open(port: number, user: string, password: string): Promise<LeanImap> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new LeanImap(socket);
    await once(socket, 'data');
    await client.all(`LOGIN ${user} ${password}`);
    return client;
  }

  /** What a server greets with. */
  static async greeting(port: number): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' });
    const [line] = await once(socket, 'data');
    socket.destroy();
    return String(line).trim();
  }

  get open(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Sends commands in one packet; answers come in their order. A literal of the kind `{3}` waits for the server, and what
   * follows waits with it. One `send` at a time where there are such literals.
   */
  send(...commands: string[]): Promise<LeanReply[]> {
    const ended = this.#ended;
    if (ended) return Promise.reject(ended);
    let packet = '';
    const replies = commands.map((command) => {
      this.#tags += 1;
      const tag = `T${this.#tags}`;
      packet += `${tag} ${command}\r\n`;
      return new Promise<LeanReply>((resolve, reject) => this.#waiting.push({ tag, resolve, reject }));
    });
    const [first = '', ...rest] = packet.split(/(?<=\{\d+\}\r\n)/);
    let before = first;
    for (const text of rest) {
      const [, tag = '', octets = ''] = /(?:^|\r\n)(T\d+) [^\r\n]*\{(\d+)\}\r\n$/.exec(before) ?? [];
      this.#parts.push({ tag, octets: Number(octets), text });
      before = text;
    }
    this.#socket.write(first, 'latin1');
    return Promise.all(replies);
  }

  /**
   * As {@link send}, where nothing may be refused.
   * @throws Error with the command that was
   */
  async all(...commands: string[]): Promise<LeanReply[]> {
    const replies = await this.send(...commands);
    replies.forEach(({ status, text }, index) => {
      if (status !== 'OK') throw new Error(`${commands[index]?.slice(0, 200)}: ${status} ${text}`);
    });
    return replies;
  }

  /** Resolves when the connection has ended. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }

  #take(chunk: string): void {
    this.#pending += chunk;
    for (let end = lineEnd(this.#pending); end >= 0; end = lineEnd(this.#pending)) {
      const line = this.#pending.slice(0, end);
      this.#pending = this.#pending.slice(end + 2);
      this.#line(line);
    }
  }

  #line(line: string): void {
    if (line.startsWith('* ')) {
      this.#untagged.push(line.slice(2));
      return;
    }
    if (line.startsWith('+')) {
      this.#socket.write(this.#parts.shift()?.text ?? '', 'latin1');
      return;
    }
    const [, tag, status, text = ''] = /^(\S+) (OK|NO|BAD) ?(.*)$/s.exec(line) ?? [];
    const first = this.#waiting[0];
    if (!first || first.tag !== tag) return;
    this.#waiting.shift();
    const part = this.#parts[0];
    if (part?.tag === tag) {
      // Refused before its literal, which the server does not want any more.
      this.#parts.shift();
      this.#socket.write(part.text.slice(part.octets + 2), 'latin1');
    }
    const untagged = this.#untagged;
    this.#untagged = [];
    first.resolve({ status: status as LeanReply['status'], text, untagged });
  }

  #end(why: Error): void {
    this.#ended ??= why;
    for (const { reject } of this.#waiting.splice(0)) reject(why);
  }
}

/** Where the first whole line ends, its literals within; -1 when more must come. */
function lineEnd(text: string): number {
  for (let from = 0; ; ) {
    const end = text.indexOf('\r\n', from);
    if (end < 0) return -1;
    const literal = /\{(\d+)\}$/.exec(text.slice(from, end));
    if (!literal) return end;
    from = end + 2 + Number(literal[1]);
    if (from > text.length) return -1;
  }
}

/** A value of an IMAP answer: null is NIL; atoms and strings are text. */
export type LeanValue = string | null | LeanValue[];

/** All values of an untagged answer; what stands in brackets is part of its atom. */
export function parseValues(text: string): LeanValue[] {
  const stack: LeanValue[][] = [[]];
  const token = /\s*(?:([()])|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|((?:\[[^\]]*\]|[^\s()[\]"])+))/gy;
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (!found) throw new Error(`not understood: ${text}`);
    const [, parenthesis, quoted, octets, atom] = found;
    const list = stack.at(-1) ?? [];
    if (parenthesis === '(') {
      const inner: LeanValue[] = [];
      list.push(inner);
      stack.push(inner);
    } else if (parenthesis === ')') stack.pop();
    else if (quoted !== undefined) list.push(quoted.replace(/\\(.)/g, '$1'));
    else if (octets !== undefined) {
      list.push(text.slice(token.lastIndex, token.lastIndex + Number(octets)));
      token.lastIndex += Number(octets);
    } else list.push(atom === 'NIL' ? null : (atom ?? ''));
  }
  return stack[0] ?? [];
}
