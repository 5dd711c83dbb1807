import { chmodSync, chownSync, closeSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs';
import { writeAnew } from '../runtime/write-anew.js';
import { ConfigError } from './config-error.js';
import { withLine } from './explain.js';
import { read, reasonOf } from './files.js';
import { checkedText, parseToml } from './load.js';
import { name as nameSchema } from './schema-parts.js';

/**
 * Adds a tenant at the end of a configuration file. The rest of the file stays as it is, byte by byte, and so do its
 * owner and permissions; where the path is a symbolic link, the file that it leads to is replaced. The other files that
 * the configuration names are not read: the broker alone may be able to.
 * @param path of the configuration file
 * @throws ConfigError whose problems name the file; the file is unchanged then
 */
export function appendTenant(path: string, name: string, tokenHash: string): void {
  const refuse = (problem: string) => new ConfigError([`${path}: ${problem}`]);
  const text = read(path);
  const { error } = nameSchema.safeParse(name);
  if (error) throw refuse(`"${name}" is no name of a tenant: ${error.issues[0]?.message}`);
  const entry = ['[[tenant]]', `name = ${JSON.stringify(name)}`, `token_hashes = ["${tokenHash}"]`, ''];
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const gap = text === '' ? '' : /\n$/.test(text) ? lineEnd : lineEnd.repeat(2);
  const next = text + gap + entry.join(lineEnd);
  try {
    const { tenant: tenants } = parseToml(text) as { tenant?: unknown };
    const same = Array.isArray(tenants) ? tenants.findIndex((one) => one.name === name) : -1;
    if (same >= 0) {
      const problem = `tenant[${same}].name: "${name}" exists already; its token_hashes can hold a second hash`;
      throw new ConfigError([withLine(text, problem)]);
    }
    checkedText(next);
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    throw new ConfigError(failure.problems.map((problem) => `${path}: ${problem}`));
  }
  replace(path, text, next, refuse);
}

function replace(path: string, before: string, text: string, refuse: (problem: string) => ConfigError): void {
  try {
    const file = realpathSync(path);
    const { mode, uid, gid } = statSync(file);
    const place = (beside: string) => {
      if (readFileSync(file, 'utf8') !== before) throw refuse('was changed meanwhile: run the command again');
      const made = statSync(beside);
      if (made.uid !== uid || made.gid !== gid) chownSync(beside, uid, gid);
      chmodSync(beside, mode & 0o7777);
      renameSync(beside, file);
    };
    closeSync(writeAnew(file, text, place));
  } catch (error) {
    throw error instanceof ConfigError ? error : refuse(`cannot be replaced: ${reasonOf(error)}`);
  }
}
