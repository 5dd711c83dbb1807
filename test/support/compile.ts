import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cli/built.js';

/** What a strict compiler says of these files of a folder, with these options on top; an empty text where all is well. */
export function complaintsOf(folder: string, files: readonly string[], options: Record<string, unknown> = {}): string {
  const compilerOptions = {
    ...{
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    },
    ...{ target: 'es2023', lib: ['es2023', 'dom'], module: 'nodenext' },
    ...{ types: ['node'], typeRoots: [join(projectRoot, 'node_modules/@types')] },
    ...options,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiler = join(projectRoot, 'node_modules/.bin/tsc');
  const { stdout, stderr, error } = spawnSync(compiler, ['-p', '.'], { cwd: folder, encoding: 'utf8' });
  if (error) throw error;
  return stdout + stderr;
}
