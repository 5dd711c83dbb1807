import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Milliseconds until a reader that is behind is tried again. */
const RETRY_MS = 100;
/** Milliseconds that a reader who is behind has for the last lines when the process exits. */
const LAST_MS = 1000;

/**
 * Where log lines go when nobody at a terminal reads them. A reader that is behind or gone neither stops the process nor
 * keeps it from its end. pino's own output is no good for that: at exit it tries to write its last lines for ever.
 */
export class LogOutput implements DestinationStream {
  readonly #fd: number;
  #lines: string[] = [];
  /** What a reader had no room for. */
  #rest: Uint8Array = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;

  /** @param fd a pipe or socket has to be one that does not block, as Node makes its own standard output */
  constructor(fd: number) {
    this.#fd = fd;
    process.once('exit', () => this.#finish());
  }

  write(line: string): void {
    this.#lines.push(line);
    if (this.#retry === undefined) this.#flush();
  }

  #flush(): void {
    this.#retry = undefined;
    try {
      while (this.#isBehind) {
        if (this.#rest.length === 0) this.#rest = Buffer.from(this.#lines.splice(0).join(''));
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#flush(), RETRY_MS).unref();
      } else {
        // The reader is gone or the disk is full. There is nowhere to tell it; the next line may have more luck.
        this.#rest = Buffer.alloc(0);
      }
    }
  }

  get #isBehind(): boolean {
    return this.#rest.length > 0 || this.#lines.length > 0;
  }

  #finish(): void {
    const until = Date.now() + LAST_MS;
    const pause = new Int32Array(new SharedArrayBuffer(4));
    this.#flush();
    while (this.#isBehind && Date.now() < until) {
      Atomics.wait(pause, 0, 0, 10);
      this.#flush();
    }
  }
}
