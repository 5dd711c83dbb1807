import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ParamsIn as Given, Result as Told } from '../../src/client/generated/by-name.js';
import type { MethodName as Known } from '../../src/client/generated/methods.js';
import type { DefaultFields } from '../../src/client/rows.js';
import { contract, type MethodName, type Params, type Result } from '../../src/protocol/contract.js';
import type { MethodDefinition } from '../../src/protocol/define.js';
import { defaultFields } from '../../src/protocol/rows.js';
import { declarations } from './declarations.js';
import { descriptionOf } from './type-writer.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = 'src/client/generated';
const biome = join(root, 'node_modules/.bin/biome');

/** The files as the formatter of the project writes them. */
function formatted(texts: ReadonlyMap<string, string>): Map<string, string> {
  const place = mkdtempSync(join(tmpdir(), 'imap-broker-types-'));
  try {
    // Without its version control, which is for files of the project.
    const { vcs: _, ...config } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(place, 'biome.json'), JSON.stringify(config));
    for (const [name, text] of texts) writeFileSync(join(place, `${name}.ts`), text);
    execFileSync(biome, ['check', '--write', '--error-on-warnings', '.'], { cwd: place, stdio: 'pipe' });
    return new Map(Array.from(texts.keys(), (name) => [`${name}.ts`, readFileSync(join(place, `${name}.ts`), 'utf8')]));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

describe('the types of the typed client', () => {
  it('are those of the contract; `npm run docs` writes them anew', () => {
    const files = formatted(declarations());
    if (process.env.UPDATE_DOCS === '1') {
      mkdirSync(join(root, folder), { recursive: true });
      for (const [name, text] of files) writeFileSync(join(root, folder, name), text);
    }
    expect(readdirSync(join(root, folder)).sort()).toEqual([...files.keys()].sort());
    for (const [name, text] of files) expect(readFileSync(join(root, folder, name), 'utf8'), name).toBe(text);
  });

  it('describe each method and each of its parameters', () => {
    const all = Object.values(contract) as unknown as MethodDefinition[];
    const silent = all.flatMap(({ name, params }) =>
      Object.entries(params.shape)
        .filter(([, schema]) => descriptionOf(schema as never) === '')
        .map(([param]) => `${name}: ${param}`),
    );
    expect(silent).toEqual([]);
    expect(all.filter(({ summary }) => summary === '')).toEqual([]);
  });

  it('take what the contract takes, and answer what it answers', () => {
    // The client itself puts bytes into requests and takes them out of answers.
    type Plain = Exclude<Known & keyof Calls, 'message.append' | 'message.part' | 'message.source'>;
    type Calls = { [M in MethodName as M extends 'watch.start' | 'watch.stop' | 'events.resume' ? never : M]: M };
    type WrongParams = { [M in Plain]: Params<M> extends Given<M> ? never : M }[Plain];
    type WrongResult = { [M in Plain]: Told<M> extends Result<M> ? never : M }[Plain];
    expectTypeOf<WrongParams>().toBeNever();
    expectTypeOf<WrongResult>().toBeNever();
    expectTypeOf<Known>().toEqualTypeOf<MethodName>();
  });

  it('know which members rows have where no fields are named', () => {
    const usual: DefaultFields = ['envelope', 'flags', 'size', 'internalDate'];
    expect(usual).toEqual(defaultFields);
  });
});
