import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, linkSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeAnew } from '../runtime/write-anew.js';

/** A key that seals tokens. */
export interface SealingKey {
  id: string;
  bytes: Uint8Array;
}

/** Keys that still open tokens after a rotation, the newest included. */
const KEPT = 4;
const KEY_BYTES = 32;
/** Milliseconds after which the file is looked at again: another process may have rotated the keys. */
const LOOK_AGAIN_MS = 2_000;

/** A key file that cannot be used; the message is for the operator. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** The keys of tokens: the first seals, all of them open. */
export class KeyRing {
  readonly #path: string | undefined;
  #keys: readonly SealingKey[];
  #stamp = '';
  #lookedAt = 0;

  private constructor(keys: readonly SealingKey[], path?: string) {
    this.#keys = keys;
    this.#path = path;
  }

  /** Whether the ring ends with the process, and all that was sealed with its keys as well. */
  get isEphemeral(): boolean {
    return this.#path === undefined;
  }

  /** A ring that ends with the process. */
  static ephemeral(): KeyRing {
    return new KeyRing([newKey()]);
  }

  /**
   * The ring of a key file; a missing file is made (mode 0600) if `create` is set.
   * @throws KeyFileError
   */
  static ofFile(path: string, options: { create: boolean }): KeyRing {
    if (options.create) createIfMissing(path);
    const ring = new KeyRing(readKeys(path), path);
    ring.#stamp = fileStamp(path);
    return ring;
  }

  /**
   * Puts a new key in front; in the file as well, where there is one.
   * @returns the id of the new key and how many keys there are now
   * @throws KeyFileError
   */
  rotate(): { id: string; keys: number } {
    if (this.#path === undefined) {
      const key = newKey();
      this.#keys = [key, ...this.#keys].slice(0, KEPT);
      return { id: key.id, keys: this.#keys.length };
    }
    const rotated = rotateKeys(this.#path);
    this.#take(readKeys(this.#path));
    this.#stamp = fileStamp(this.#path);
    return rotated;
  }

  get newest(): SealingKey {
    this.#lookAgain();
    const [newest] = this.#keys;
    if (!newest) throw new KeyFileError('There is no key to seal with.');
    return newest;
  }

  find(id: string): SealingKey | undefined {
    const known = () => this.#keys.find((key) => key.id === id);
    this.#lookAgain();
    // Another broker may have sealed with a key that is newer than the last look.
    if (!known()) this.#lookAgain(0);
    return known();
  }

  /** Whether the ring still has a key that was found before. Cheap enough to be asked for each of many tokens. */
  has(key: SealingKey): boolean {
    this.#lookAgain();
    return this.#keys.includes(key);
  }

  /** Keys that stay are the same objects as before; a key of the same id with other bytes is a different one. */
  #take(keys: readonly SealingKey[]): void {
    this.#keys = keys.map((key) => this.#keys.find((known) => isSameKey(known, key)) ?? key);
  }

  /** Takes up a rotation; a file that became unusable changes nothing. */
  #lookAgain(afterMs = LOOK_AGAIN_MS): void {
    const now = performance.now();
    if (this.#path === undefined || now - this.#lookedAt < afterMs) return;
    this.#lookedAt = now;
    try {
      const stamp = fileStamp(this.#path);
      if (stamp === this.#stamp) return;
      this.#take(readKeys(this.#path));
      this.#stamp = stamp;
    } catch {
      // Tokens that were sealed with the keys in memory must still open.
    }
  }
}

/**
 * Puts a new key in front of the keys of a file; the oldest are dropped. Running brokers take that up within seconds.
 * @returns the id of the new key and how many keys there are now
 * @throws KeyFileError
 */
export function rotateKeys(path: string): { id: string; keys: number } {
  const key = newKey();
  const keys = [key, ...readKeys(path)].slice(0, KEPT);
  try {
    closeSync(writeAnew(path, keyFileText(keys)));
  } catch (error) {
    throw new KeyFileError(`cannot write the key file ${path}: ${(error as Error).message}`);
  }
  return { id: key.id, keys: keys.length };
}

/** Tells whether a file was replaced: two rotations may fall into one tick of the clock. */
function fileStamp(path: string): string {
  const { ino, mtimeMs } = statSync(path);
  return `${ino} ${mtimeMs}`;
}

/** A link, unlike a rename, replaces nothing: of two brokers that start at the same time one makes the keys of both. */
function createIfMissing(path: string): void {
  if (existsSync(path)) return;
  const link = (beside: string) => {
    linkSync(beside, path);
    rmSync(beside);
  };
  try {
    closeSync(writeAnew(path, keyFileText([newKey()]), link));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new KeyFileError(`cannot make the key file ${path}: ${message}`);
  }
}

function readKeys(path: string): SealingKey[] {
  let text: string;
  try {
    const { mode } = statSync(path);
    if ((mode & othersOf(path)) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError(`the key file ${path} can be read by others (mode ${octal}): chmod 600 it`);
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(`cannot read the key file ${path}: ${(error as Error).message}`);
  }
  const keys = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => parseKeyLine(line, path));
  if (keys.length === 0) throw new KeyFileError(`the key file ${path} has no keys`);
  return keys;
}

/** The permissions that would let others read a key file. Where systemd shows a credential to its service by an ACL, the group's bits are the ACL's mask. */
function othersOf(path: string): number {
  return dirname(path) === process.env.CREDENTIALS_DIRECTORY ? 0o037 : 0o077;
}

function parseKeyLine(line: string, path: string): SealingKey {
  const [, id = '', encoded = ''] = /^([\w-]{1,40}) ([\w-]{43})$/.exec(line.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.length !== KEY_BYTES) throw new KeyFileError(`the key file ${path} has a line that is no key`);
  return { id, bytes };
}

function isSameKey(one: SealingKey, other: SealingKey): boolean {
  return one.id === other.id && Buffer.compare(one.bytes, other.bytes) === 0;
}

function keyFileText(keys: readonly SealingKey[]): string {
  const lines = keys.map(({ id, bytes }) => `${id} ${Buffer.from(bytes).toString('base64url')}`);
  return `# Keys of imap-broker's session tokens, the newest first. Secret.\n${lines.join('\n')}\n`;
}

function newKey(): SealingKey {
  return { id: randomBytes(6).toString('base64url').replace(/^-/, 'k'), bytes: randomBytes(KEY_BYTES) };
}
