import type { Socket } from 'node:net';

/** Most unread bytes from a server. */
const MOST_BYTES = 64 * 1024;

/** A plain exchange of lines with a server, for the probe, which works without an `ImapConnection`. */
export class Dialogue {
  readonly #socket: Socket;
  #text = '';
  #wake: () => void = () => {};
  #end: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      if (this.#text.length > MOST_BYTES) socket.destroy(new Error('it says too much'));
      this.#wake();
    });
    const end = (error: Error) => {
      this.#end ??= error;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('close', () => end(new Error('the server closed the connection')));
  }

  send(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** Lines up to and including the one that matches; later lines stay unread. @throws if the connection ends before */
  async until(last: RegExp): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const at = this.#text.indexOf('\r\n');
      if (at >= 0) {
        lines.push(this.#text.slice(0, at));
        this.#text = this.#text.slice(at + 2);
        if (last.test(lines.at(-1) ?? '')) return lines;
      } else if (this.#end) {
        throw this.#end;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Hands the socket over: from now on the caller reads from it. */
  release(): Socket {
    return this.#socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
  }
}
