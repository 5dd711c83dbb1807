import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error.js';
import { tokenHashes } from './schema.js';

const CREDENTIAL = 'credential:';

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
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = { ENOENT: 'there is no such file', EACCES: 'no permission', EISDIR: 'it is a folder' }[code ?? ''];
    throw new ConfigError([`${prefix}cannot read ${path}: ${why ?? code ?? String(error)}`]);
  }
}

/**
 * Reads a file of token hashes.
 * @throws ConfigError
 */
export function readTokenHashes(path: string, folder: string, key: string): string[] {
  const lines = readNamed(path, folder, key).split('\n');
  const hashes = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const { data, error } = tokenHashes.safeParse(hashes);
  if (error) throw new ConfigError([`${key}: ${path}: ${error.issues[0]?.message}`]);
  return data;
}
