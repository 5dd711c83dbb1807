import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';

/** More than a pipe holds. */
const LINES = 20_000;
/** More than is kept for a reader. */
const TOO_MANY = 500_000;
const SCRIPT = `
const { createLog } = await import(process.argv[1]);
const log = createLog('info');
for (let n = 0; n < Number(process.argv[2]); n += 1) log.info({ n }, 'a line');
process.stderr.write('done');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.exit(3);
`;

beforeAll(() => void builtProgram(), 120_000);

let child: ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> };
afterEach(() => void child.kill('SIGKILL'));

/** A process that logs many lines, with a reader that has not read yet; resolves when it has gone on. */
async function logging(lines = LINES): Promise<void> {
  const module = join(projectRoot, 'dist/src/runtime/log/log.js');
  child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, module, String(lines)], { stdio: 'pipe' });
  await once(child.stderr as NodeJS.ReadableStream, 'data');
}

/** Has it exit. */
async function ended(): Promise<number> {
  const exit = once(child, 'exit');
  child.stdin?.end('exit');
  return (await exit)[0];
}

describe('the log of a process', () => {
  it('has every line in order for a reader that is behind, also when the process exits', async () => {
    await logging();
    const read = text(child.stdout);
    expect(await ended()).toBe(3);
    const numbers = (await read)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).n);
    expect(numbers).toEqual(Array.from({ length: LINES }, (_, n) => n));
  });

  it('keeps so much for a reader that is behind and no more, and says how many lines it dropped', async () => {
    await logging(TOO_MANY);
    const read = text(child.stdout);
    expect(await ended()).toBe(3);
    const lines = (await read)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { n?: number; dropped?: number; level: string });
    const told = lines.filter(({ n }) => n !== undefined);
    expect(told.map(({ n }) => n)).toEqual(told.map((_, n) => n));
    expect(told.length).toBeLessThan(TOO_MANY / 2);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', dropped: TOO_MANY - told.length });
  });

  it('keeps no process from its end, be its reader there and not reading', async () => {
    await logging();
    expect(await ended()).toBe(3);
    child.stdout.resume();
  });

  it('keeps no process from its end, be its reader gone', async () => {
    await logging();
    child.stdout.destroy();
    expect(await ended()).toBe(3);
  });
});
