import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { writeAnew } from '../runtime/write-anew.js';

const { O_APPEND, O_RDONLY, O_RDWR } = constants;
/** Bytes of the longest line that is read; a line with the longest names of a tenant and a user is far shorter. */
const LONGEST_LINE = 32_768;
const CHUNK = 65_536;
const NEWLINE = 10;
/** How often the file is opened again where other processes replace it all the time. */
const ROUNDS = 10;
/** Milliseconds after which a process that began to write the file anew is taken for dead. */
const DEAD_MS = 60_000;
/** Errors of file systems without hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** What the lines of the file are for. */
export interface FileContent {
  /** A file is read from its beginning: another one than before, or one that was cut short. */
  begin(): void;
  take(line: string): void;
  /** All that the file has is read. */
  end(): void;
  /** All lines that a new file is to have. */
  lines(): readonly string[];
}

interface OpenFile {
  descriptor: number;
  ino: number;
  dev: number;
}

/**
 * A file of lines to which several processes append, each of which reads what the others have appended. The file stays
 * open, so that a broker without a free descriptor can still append.
 *
 * A process that writes the file anew gives the old file a second name before. As long as that name is there, no other
 * process writes the file anew, and what was appended to the old file meanwhile is not lost, even when all processes are
 * killed. A process that has appended reads the file again: where its lines are not found, because another file has that
 * path by then, it has to append them to that one.
 */
export class RevocationFile {
  readonly #path: string;
  readonly #content: FileContent;
  readonly #buffer = Buffer.alloc(CHUNK);
  #open: OpenFile | undefined;
  /** Bytes of the open file that were read. */
  #offset = 0;
  /** What was read of a last line that does not end yet. */
  #rest = Buffer.alloc(0);
  /** The last line is longer than any that a broker writes, so that nothing of it is kept. */
  #skips = false;
  /** Something was read that the content has not been told the end of. */
  #isReading = false;
  #lines = 0;
  #isFlushed = false;
  /** This process has given the old file its second name, or has taken it over from one that is dead. */
  #holdsOld = false;
  /** Another process's old file, and `performance.now()` when it was seen first. */
  #seen: { ino: number; at: number } | undefined;

  constructor(path: string, content: FileContent) {
    this.#path = path;
    this.#content = content;
  }

  /** How many lines of the file were read. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether what was appended last is on the disk, in the file that has the path as far as is known. */
  get isFlushed(): boolean {
    return this.#isFlushed;
  }

  get isThere(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false }) !== undefined;
  }

  /** Whether the file has changed since it was read. */
  async hasChanged(): Promise<boolean> {
    try {
      const now = await stat(this.#path);
      return !isSame(this.#open, now) || now.size !== this.#offset;
    } catch {
      return true;
    }
  }

  /** Reads what other processes have appended; makes the file where there is none. @throws what the file system says */
  read(): void {
    for (let round = 0; round < ROUNDS; round += 1) {
      const now = statSync(this.#path, { throwIfNoEntry: false });
      if (now && isSame(this.#open, now)) {
        if (now.size < this.#offset) this.#begin();
        if (now.size !== this.#offset) this.#readOn();
        if (this.#isReading) this.#content.end();
        this.#isReading = false;
        return;
      }
      this.#leave();
      if (!now) this.#make();
      this.#enter(this.#path);
    }
    throw new Error(`${this.#path} is replaced all the time`);
  }

  /** Appends lines to the open file and brings it to the disk. @throws what the file system says */
  append(lines: readonly string[]): void {
    if (!this.#open) this.read();
    const { descriptor } = this.#open as OpenFile;
    // The process that wrote the last line may have been killed on the way.
    const start = this.#rest.length > 0 || this.#skips ? '\n' : '';
    this.#isFlushed = false;
    try {
      if (lines.length > 0) writeFileSync(descriptor, start + textOf(lines));
      // A client that logs out relies on the revocation as soon as the answer comes.
      fsyncSync(descriptor);
    } catch (error) {
      // The file could only be opened for reading, or a network file system has lost it.
      if (['EBADF', 'ESTALE'].includes(codeOf(error) ?? '')) this.#close();
      throw error;
    }
    this.#isFlushed = true;
  }

  /**
   * Writes the file anew and reads it. It may lack what other processes append at this moment: the caller appends that
   * and calls `release` then.
   * @returns false where nothing was done: another process does the same, or there is no room
   * @throws what the file system says when the new file cannot be read
   */
  replace(): boolean {
    if (this.#holdsOld || !this.#hold()) return false;
    try {
      closeSync(writeAnew(this.#path, textOf(this.#content.lines())));
    } catch {
      rmSync(this.#old, { force: true });
      return false;
    }
    this.#holdsOld = true;
    this.read();
    return true;
  }

  /** To be called when all that the old file had is in the new file and on the disk: other processes may write it anew then. */
  release(): void {
    if (this.#holdsOld) rmSync(this.#old, { force: true });
    this.#holdsOld = false;
  }

  /**
   * Reads the old file of a process that was killed while it wrote the file anew, and then the file; `release` ends what
   * that process had begun.
   * @param live also where the process may be alive; then `release` does nothing
   * @throws what the file system says
   */
  recover(live: boolean): void {
    const old = statSync(this.#old, { throwIfNoEntry: false });
    if (!old || this.#holdsOld) return;
    if (this.#seen?.ino !== old.ino) this.#seen = { ino: old.ino, at: performance.now() };
    const isDead = performance.now() - this.#seen.at > DEAD_MS;
    if (!isDead && !live) return;
    this.#close();
    this.#enter(this.#old);
    this.#readOn();
    this.read();
    this.#holdsOld = isDead;
  }

  close(): void {
    this.#close();
  }

  get #old(): string {
    return `${this.#path}.old`;
  }

  /** Gives the open file its second name. @returns whether no other process is writing the file anew */
  #hold(): boolean {
    try {
      linkSync(this.#path, this.#old);
    } catch (error) {
      return NO_LINKS.includes(codeOf(error) ?? '');
    }
    const isMine = isSame(this.#open, statSync(this.#old));
    // Another process has replaced the file since it was read.
    if (!isMine) rmSync(this.#old, { force: true });
    return isMine;
  }

  /** Makes the file, unless another process has done so. */
  #make(): void {
    const link = (beside: string) => {
      linkSync(beside, this.#path);
      rmSync(beside);
    };
    const text = textOf(this.#content.lines());
    try {
      closeSync(writeAnew(this.#path, text, link));
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (NO_LINKS.includes(code)) closeSync(writeAnew(this.#path, text));
      else if (code !== 'EEXIST') throw error;
    }
  }

  #enter(path: string): void {
    this.#open = openFile(path);
    if (this.#open) this.#begin();
  }

  /** Reads what a file that was replaced has besides. */
  #leave(): void {
    try {
      this.#readOn();
    } catch {
      // A network file system has lost it. What this process knows is written to the new file.
    }
    this.#close();
  }

  #close(): void {
    const { descriptor } = this.#open ?? {};
    this.#open = undefined;
    this.#isFlushed = false;
    // On a network file system this may fail; the descriptor is closed all the same and must not be closed again.
    if (descriptor !== undefined) closeSync(descriptor);
  }

  #begin(): void {
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    this.#skips = false;
    this.#lines = 0;
    this.#isFlushed = false;
    this.#isReading = true;
    this.#content.begin();
  }

  #readOn(): void {
    for (;;) {
      if (!this.#open) return;
      const bytes = readSync(this.#open.descriptor, this.#buffer, 0, CHUNK, this.#offset);
      if (bytes === 0) return;
      this.#isReading = true;
      this.#offset += bytes;
      this.#takeBytes(this.#buffer.subarray(0, bytes));
    }
  }

  #takeBytes(bytes: Buffer): void {
    const all = Buffer.concat([this.#rest, bytes]);
    let from = 0;
    for (let to = all.indexOf(NEWLINE); to >= 0; to = all.indexOf(NEWLINE, from)) {
      this.#lines += 1;
      if (!this.#skips) this.#content.take(all.toString('utf8', from, to));
      this.#skips = false;
      from = to + 1;
    }
    this.#skips ||= all.length - from > LONGEST_LINE;
    this.#rest = this.#skips ? Buffer.alloc(0) : Buffer.from(all.subarray(from));
  }
}

function openFile(path: string): OpenFile | undefined {
  const open = (flags: number): OpenFile => {
    const descriptor = openSync(path, flags);
    const { ino, dev } = fstatSync(descriptor);
    return { descriptor, ino, dev };
  };
  try {
    return open(O_RDWR | O_APPEND);
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'ENOENT') return undefined;
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return open(O_RDONLY);
    throw error;
  }
}

function isSame(open: OpenFile | undefined, { ino, dev }: { ino: number; dev: number }): boolean {
  return open !== undefined && open.ino === ino && open.dev === dev;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
