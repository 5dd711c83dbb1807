import { closeSync, fstatSync, fsyncSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { writeAnew } from '../runtime/write-anew.js';

/** Milliseconds after which a file that could not be written is tried again. */
const RETRY_MS = 5_000;
/** Lines beyond twice the entries that hold, of which most are out of date, before the file is written anew. */
const SPARE_LINES = 1_000;

/**
 * The file of revocations. The file stays open, so that a broker without a free descriptor can still append. Where it
 * cannot be written, because the disk is full for instance, the old content remains, and the write is retried until it
 * succeeds.
 */
export class RevocationFile {
  readonly #path: string;
  readonly #lines: () => readonly string[];
  readonly #onTrouble: (error: unknown) => void;
  #descriptor: number | undefined;
  #written = 0;
  #retry: NodeJS.Timeout | undefined;

  /**
   * @param lines all lines that the file is to have
   * @param onTrouble called with an error when the file can no longer be written, and without one when it can again
   */
  constructor(path: string, lines: () => readonly string[], onTrouble: (error: unknown) => void) {
    this.#path = path;
    this.#lines = lines;
    this.#onTrouble = onTrouble;
  }

  /** The lines of the file; none where there is no file. @throws when there is a file that cannot be read */
  read(): string[] {
    try {
      return readFileSync(this.#path, 'utf8').split('\n');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Adds a line. @param kept how many entries hold @returns whether the line is on the disk */
  append(line: string, kept: number): boolean {
    // After a failure the file may end with half a line, and lacks the lines that could not be written.
    if (this.#descriptor === undefined || this.#retry) return this.rewrite();
    if (this.#written > 2 * kept + SPARE_LINES || isElsewhere(this.#path, this.#descriptor)) return this.rewrite();
    return this.#try(() => {
      writeFileSync(this.#descriptor as number, `${line}\n`);
      // A client that logs out relies on the revocation as soon as the answer comes.
      fsyncSync(this.#descriptor as number);
      this.#written += 1;
    });
  }

  /** Writes the file anew, with the entries that hold. @returns whether they are on the disk */
  rewrite(): boolean {
    return this.#try(() => {
      const lines = this.#lines();
      const before = this.#descriptor;
      this.#descriptor = writeAnew(this.#path, lines.map((line) => `${line}\n`).join(''));
      this.#written = lines.length;
      // On a network file system this may fail; the descriptor is closed all the same and must not be closed again.
      if (before !== undefined) closeSync(before);
    });
  }

  /** Tries a last time to write what could not be written so far. */
  close(): void {
    if (this.#retry) this.rewrite();
    clearTimeout(this.#retry);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #try(write: () => void): boolean {
    const before = this.#retry;
    clearTimeout(before);
    try {
      write();
      this.#retry = undefined;
      if (before) this.#onTrouble(undefined);
      return true;
    } catch (error) {
      this.#retry = setTimeout(() => this.rewrite(), RETRY_MS).unref();
      if (!before) this.#onTrouble(error);
      return false;
    }
  }
}

/** Whether a path is not that of an open file any more: the file was deleted or moved, or another process has replaced it. */
function isElsewhere(path: string, descriptor: number): boolean {
  try {
    const [named, open] = [statSync(path), fstatSync(descriptor)];
    return named.ino !== open.ino || named.dev !== open.dev;
  } catch {
    // There is no file of this path. On NFS an open file that was deleted cannot be asked either.
    return true;
  }
}
