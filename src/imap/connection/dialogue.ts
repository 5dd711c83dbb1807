import type { Socket } from 'node:net';

/** Bytes that a server may say before what is waited for. */
const MOST_BYTES = 64 * 1024;

/** A few lines to and from a server, by hand: for what is looked at before there is a connection. */
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

  /** Lines up to and with the one that matches; what comes behind is left. @throws when the connection ends before */
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

  /** Gives the socket away: from now on somebody else reads it. */
  release(): Socket {
    return this.#socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
  }
}
