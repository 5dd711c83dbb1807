import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a run without Dovecot says, and all that it says. */
export const MISSING = 'dovecot is not installed: on Debian run apt-get install dovecot-imapd';

/**
 * The path of one of Dovecot's programs. The sbin folders are searched as well: they are not in an ordinary user's PATH.
 * @throws Error with {@link MISSING}
 */
export function findProgram(name: 'dovecot' | 'doveadm'): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/bin'];
  for (const folder of folders) {
    const path = join(folder, name);
    if (folder && isExecutable(path)) return path;
  }
  throw new Error(MISSING);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
