import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Revocations } from '../../src/session/revocations.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';

const script = fileURLToPath(new URL('ends.mjs', import.meta.url));

let program: string;
beforeAll(() => {
  program = pathToFileURL(builtProgram()).href;
}, 120_000);

let folder: string;
let running: Program[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-ends-'));
  running = [];
});
afterEach(async () => {
  for (const one of running) await one.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process that ends sessions. @param spareLines with few of them it writes the list anew all the time */
function end(name: string, count: number, spareLines: number): Program {
  const started = new Program(process.execPath, [script, program, folder, name, `${count}`, `${spareLines}`]);
  running.push(started);
  return started;
}

const printed = ({ out }: Program) => out.trimEnd().split('\n');
/** Ids of which a process was told that their end is on the disk. A process that was killed may have printed half a line. */
const endedBy = (one: Program) => one.out.split('\n').slice(1, -1);

/** Which ids a broker that starts now does not know of. */
function unknown(ids: readonly string[]): string[] {
  const revocations = new Revocations(join(folder, 'revoked.jsonl'));
  const now = Date.now();
  const session = { tenant: 'shop', user: 'anna', openedAt: now, endsAt: now + 3_600_000, ...revocations.opening() };
  const missing = ids.filter((id) => !revocations.has({ ...session, id }));
  expect(revocations.has({ ...session, id: 'another' })).toBe(false);
  revocations.close();
  return missing;
}

describe('processes that end sessions at the same time', () => {
  it('and write their list anew all the time lose none', async () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => end(name, 2_000, -1_950));
    for (const one of all) expect(await one.ended()).toBe(0);
    const ids = all.flatMap(endedBy);
    expect(ids).toHaveLength(8_000);
    expect(unknown(ids)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['revoked.jsonl', 'session.keys']);
  }, 300_000);

  it('have keys and a count in common when they start at the same moment in an empty folder', async () => {
    for (let round = 0; round < 3; round += 1) {
      rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(tmpdir(), 'imap-broker-ends-'));
      const all = ['a', 'b', 'c', 'd'].map((name) => end(name, 0, 0));
      for (const one of all) expect(await one.ended()).toBe(0);
      expect(new Set(all.map((one) => printed(one)[0])).size).toBe(1);
    }
  }, 60_000);

  it('lose nothing that they were told is on the disk when they are killed at any moment', async () => {
    const ids: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const all = ['a', 'b', 'c'].map((name) => end(`${name}${round}`, 5_000, -4_900));
      await all[0]?.printed(new RegExp(`^a${round}-${10 + 17 * round}$`, 'm'));
      await Promise.all(all.map((one) => one.stop('SIGKILL')));
      ids.push(...all.flatMap(endedBy));
      expect(unknown(ids)).toEqual([]);
    }
    expect(ids.length).toBeGreaterThan(200);
  }, 120_000);
});
