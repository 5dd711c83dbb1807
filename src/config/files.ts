import { isUtf8 } from 'node:buffer';
import { accessSync, constants, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from './config-error.js';
import { tokenHashes } from './schema.js';

const CREDENTIAL = 'credential:';
/** Most bytes of a configuration, and of a file that it names. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Why a file or folder cannot be used, by the code of Node's error. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Why a file or folder cannot be used, in words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? (code || message);
}

/**
 * Where a file is that a configuration names: relative to the folder of the configuration, or, with `credential:` in front,
 * among those that systemd passes to the service (systemd.exec(5), LoadCredential).
 * @param key what the configuration calls it, for the message
 * @throws ConfigError when the path is a credential and no credentials were passed
 */
export function pathOf(path: string, folder: string, key: string): string {
  if (!path.startsWith(CREDENTIAL)) return resolve(folder, path);
  const { CREDENTIALS_DIRECTORY: credentials } = process.env;
  const name = path.slice(CREDENTIAL.length);
  if (name === '' || name.includes('/')) throw new ConfigError([`${key}: ${path} is no name of a credential`]);
  if (credentials !== undefined) return join(credentials, name);
  const why =
    'systemd passed no credentials to this process; by hand, set CREDENTIALS_DIRECTORY to the folder of such files';
  throw new ConfigError([`${key}: there is no ${path}: ${why}`]);
}

/**
 * Reads a file that a configuration names.
 * @throws ConfigError
 */
export function readNamed(path: string, folder: string, key: string): string {
  return read(pathOf(path, folder, key), `${key}: `);
}

/**
 * Reads a file of text.
 * @throws ConfigError whose message begins with the prefix
 */
export function read(path: string, prefix = ''): string {
  const refuse = (why: string) => new ConfigError([`${prefix}cannot read ${path}: ${why}`]);
  let content: Buffer;
  try {
    if (statSync(path).size > MOST_BYTES) throw refuse(`it is larger than ${MOST_BYTES / 1024 / 1024} MiB`);
    content = readFileSync(path);
  } catch (error) {
    throw error instanceof ConfigError ? error : refuse(reasonOf(error));
  }
  const [first, second] = content;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw refuse('it is in UTF-16: save it as UTF-8');
  }
  if (!isUtf8(content)) throw refuse('it is not UTF-8 text');
  return content.toString('utf8');
}

/**
 * Reads a file of token hashes.
 * @throws ConfigError
 */
export function readTokenHashes(path: string, folder: string, key: string): string[] {
  const lines = readNamed(path, folder, key)
    .split('\n')
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  const { data, error } = tokenHashes.safeParse(lines.map(({ text }) => text));
  if (!error) return data;
  const [
    {
      path: [index],
      message,
    } = { path: [], message: 'cannot be read' },
  ] = error.issues;
  const line = typeof index === 'number' ? `line ${lines[index]?.number}: ` : '';
  throw new ConfigError([`${key}: ${path}: ${line}${message}`]);
}

/** What will keep the broker from making its state folder, as far as another user can tell. */
export function stateDirProblem(path: string): string | undefined {
  const parent = dirname(path);
  const found = kindOf(path);
  if (found === 'file') return `${path} is a file, not a folder`;
  return found === 'none' && ['none', 'file'].includes(kindOf(parent))
    ? `cannot make ${path}: there is no folder ${parent}`
    : undefined;
}

/** What is at a path, as far as this user can tell. */
function kindOf(path: string): 'folder' | 'file' | 'none' | 'unknown' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'none' : 'unknown';
  }
}

/**
 * Makes the folder of keys and ended sessions where it is not there, for its owner alone.
 * @returns why the broker cannot write there; `undefined` where it can
 */
export function makeStateDir(path: string): string | undefined {
  const problem = stateDirProblem(path);
  if (problem !== undefined) return problem;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return `cannot make ${path}: ${reasonOf(error)}`;
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `cannot write in ${path}: ${reasonOf(error)}`;
  }
}
