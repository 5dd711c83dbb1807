import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Most characters that wait for a reader: further lines are dropped, and counted in the log once there is room. */
const MOST_WAITING = 8 * 1024 * 1024;
/** Milliseconds until a write to a reader that is behind is retried. */
const RETRY_MS = 100;
/** Milliseconds for which the process waits at its exit while a reader that is behind takes nothing. */
const SILENT_MS = 1000;
/** Milliseconds that a reader that is behind has in all for the last lines. */
const LAST_MS = 5000;

/**
 * The output of log lines. A reader that is behind or gone neither stops the process nor keeps it from ending.
 * pino's own output would keep it: at exit pino retries the last lines for ever.
 */
export class LogOutput implements DestinationStream {
  readonly #fd: number;
  readonly #shown: (line: string) => string;
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  /** Bytes that the reader had no room for. */
  #rest: Uint8Array = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;

  /**
   * @param fd where to write; a pipe or socket must be non-blocking, as Node makes its own standard output
   * @param shown makes of each JSON line what is written
   */
  constructor(fd: number, shown = (line: string) => line) {
    this.#fd = fd;
    this.#shown = shown;
    process.once('exit', () => this.#finish());
  }

  write(line: string): void {
    if (this.#waiting + this.#rest.length > MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    const shown = this.#shown(line);
    this.#lines.push(shown);
    this.#waiting += shown.length;
    if (this.#retry === undefined) this.#flush();
  }

  #flush(): void {
    this.#retry = undefined;
    try {
      while (this.#isBehind) {
        if (this.#rest.length === 0) this.#rest = this.#taken();
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#flush(), RETRY_MS).unref();
      } else {
        // The reader is gone or the disk is full. There is nowhere to report that; the next line may succeed.
        this.#rest = Buffer.alloc(0);
      }
    }
  }

  get #isBehind(): boolean {
    return this.#rest.length > 0 || this.#lines.length > 0 || this.#dropped > 0;
  }

  /** The waiting lines, and behind them a line that counts the dropped ones. */
  #taken(): Buffer {
    const lines = this.#lines.splice(0);
    if (this.#dropped > 0) lines.push(this.#shown(droppedLine(this.#dropped)));
    this.#waiting = 0;
    this.#dropped = 0;
    return Buffer.from(lines.join(''));
  }

  #finish(): void {
    const begun = performance.now();
    const pause = new Int32Array(new SharedArrayBuffer(4));
    this.#flush();
    let left = this.#rest.length;
    let takenAt = begun;
    while (this.#isBehind && performance.now() - takenAt < SILENT_MS && performance.now() - begun < LAST_MS) {
      Atomics.wait(pause, 0, 0, 1);
      this.#flush();
      if (this.#rest.length !== left) takenAt = performance.now();
      left = this.#rest.length;
    }
  }
}

/** As pino writes a warning. */
function droppedLine(dropped: number): string {
  const msg = 'log lines were dropped: their reader was behind';
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), dropped, msg })}\n`;
}
