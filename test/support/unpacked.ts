import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const servers = fileURLToPath(new URL('../../node_modules/.cache/imap-broker-servers', import.meta.url));

/** A program of a Debian package that is unpacked and not installed, and the environment that finds its libraries. */
export interface Unpacked {
  program: string;
  env: NodeJS.ProcessEnv;
}

/** @param path of the program within the package, such as `usr/sbin/nginx` */
export function unpacked(pack: string, path: string): Unpacked {
  const program = join(servers, pack, path);
  if (!existsSync(program)) throw new Error(`There is no ${program}: npm test unpacks Debian's ${pack} there.`);
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'usr/lib'];
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.map((each) => join(servers, pack, each)).join(':') };
  return { program, env };
}
