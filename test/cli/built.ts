import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The path of the compiled program. `npm test` has built it already; a test that is run alone may have to. */
export function builtProgram(): string {
  const program = join(projectRoot, 'dist/bin/imap-broker.js');
  if (!existsSync(program) || newestSource() > statSync(program).mtimeMs) {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: projectRoot, stdio: 'pipe' });
  }
  return program;
}

function newestSource(): number {
  const files = ['src', 'bin'].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(projectRoot, folder, name)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
