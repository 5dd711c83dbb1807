import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';

const run = (file: string, args: string[] = []) => {
  builtProgram();
  return new Program(process.execPath, [`test/demo/${file}`, ...args], { cwd: projectRoot });
};
const demo = (...args: string[]) => run('demo.mjs', args);
const clusterDemo = () => run('cluster/cluster.mjs');

/** Processes that were begun by a process and still run. */
async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, parent, state]) => Number(parent) === pid && !state?.startsWith('Z'))
    .map(([own]) => Number(own));
}

const runs = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the demo', () => {
  it('runs to its end, shows each click both ways and leaves nothing running', async () => {
    const program = demo();
    expect(await program.ended(), program.err).toBe(0);
    expect(program.err).toBe('');
    for (const click of ['Sign in', 'List the folders', 'Show the index', 'Open a message', 'Stream', 'Flag', 'Put']) {
      expect(program.out).toMatch(new RegExp(`^${click}.*: .*ms; with a connection of its own .*ms\\.$`, 'm'));
    }
    expect(program.out).toMatch(/^A new message is delivered: the event .* comes [\d.]+ ms later\.$/m);
    expect(program.out).toContain('2000000 bytes, all as they were sent');
    expect(program.out).toContain('ended with exit code 0');
  }, 90_000);

  it('stays with --keep, and the command that it prints works', async () => {
    const program = demo('--keep');
    try {
      const [, variables = '', params = ''] = await program.printed(
        /export (IMAP_BROKER_URL=.*)\n {2}npx imap-broker call message\.list '(.*)'/,
      );
      const env = Object.fromEntries(variables.split(' ').map((pair) => pair.split('=', 2)));
      const call = new Program(process.execPath, [builtProgram(), 'call', 'message.list', params], { env });
      expect(await call.ended(), call.err).toBe(0);
      expect(JSON.parse(call.out).messages).toHaveLength(3);
    } finally {
      expect(await program.stop('SIGINT')).toBe(0);
    }
  }, 90_000);
});

describe('the demo of several brokers', () => {
  it('adds a broker, kills it and ends a session under load, and fails, loses, doubles and misses nothing', async () => {
    const program = clusterDemo();
    expect(await program.ended(), program.out + program.err).toBe(0);
    expect(program.err).toBe('');
    const count = (what: string) => Number(new RegExp(`^${what} +(\\d+)$`, 'm').exec(program.out)?.[1]);
    expect(count('requests answered')).toBeGreaterThan(500);
    for (const broker of [1, 2, 3]) expect(count(`requests that broker ${broker} answered.*`)).toBeGreaterThan(10);
    expect(count('messages stored')).toBeGreaterThan(24);
    expect(count('messages told')).toBe(count('messages stored'));
    for (const bad of [
      'requests failed',
      'messages lost',
      'messages doubled',
      'messages missed',
      'messages told twice',
    ]) {
      expect(count(bad), bad).toBe(0);
    }
    // Each user at first and at every move, and not for each request.
    expect(count('logins at the IMAP server')).toBeLessThan(count('requests answered') / 4);
    expect(program.out).toMatch(/ after the end it is refused with SESSION_EXPIRED\.$/m);
  }, 400_000);

  it('ends everything that it started when it is interrupted', async () => {
    const program = clusterDemo();
    await program.printed(/The third broker is started/);
    const children = await childrenOf(program.child.pid ?? 0);
    // Two brokers, HAProxy and Redis at the least.
    expect(children.length).toBeGreaterThanOrEqual(4);
    expect(await program.stop('SIGINT')).toBe(1);
    expect(program.out).toContain('Everything is ended, with exit code 1.');
    expect(children.filter(runs)).toEqual([]);
  }, 120_000);
});
