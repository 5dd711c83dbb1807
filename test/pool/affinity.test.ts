import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Account } from '../../src/pool/account.js';
import type { Job } from '../../src/pool/job.js';
import { upstream } from '../support/upstream.js';
import { type FakeConnection, FakeServers } from './fake-server.js';
import { holding, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });

async function account(connectionsPerAccount: number) {
  const fakes = new FakeServers();
  return { fakes, one: await proven(registryWith({ connectionsPerAccount }, fakes.connect), server) };
}

/** Idle connections with these folders selected, the last one used last. */
async function idle(of: Account, ...folders: string[]): Promise<FakeConnection[]> {
  const jobs = await Promise.all(folders.map((mailbox) => holding(of, { mailbox })));
  for (const { end } of jobs) await end();
  return jobs.map(({ connection }) => connection);
}

const lentTo = (of: Account, overrides: Partial<Job>) =>
  of.run(job(overrides), async (connection) => connection as unknown as FakeConnection);

/** A connection is preferred although nothing else speaks for it. */
const prefers = (wanted: FakeConnection | undefined) => (connection: ImapConnection) =>
  (connection as unknown) === wanted;

describe('of several idle connections a job gets', () => {
  it('the preferred one, else the one with its folder, else the one used last', async () => {
    const { fakes, one } = await account(3);
    const [a, b, c] = await idle(one, 'A', 'B', 'C');
    expect(await lentTo(one, { mailbox: 'B', prefers: prefers(a) })).toBe(a);
    expect(await lentTo(one, { mailbox: 'B', prefers: () => false })).toBe(b);
    expect(await lentTo(one, { mailbox: 'C' })).toBe(c);
    expect(await lentTo(one, { mailbox: 'D' })).toBe(c);
    expect(await lentTo(one, { mailbox: 'A' })).toBe(a);
    expect(await lentTo(one, {})).toBe(a);
    expect(fakes.logins).toBe(3);
  });

  it('any of them before another one is opened', async () => {
    const { fakes, one } = await account(3);
    const [a] = await idle(one, 'A');
    expect(await lentTo(one, { mailbox: 'B' })).toBe(a);
    expect(fakes.logins).toBe(1);
  });
});

describe('a connection that becomes free', () => {
  /** Jobs that wait for the only connection, which has the folder Here selected; in what order they get it. */
  async function waiting(jobs: Partial<Job>[], waitedMs: number[]): Promise<string[]> {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { one } = await account(1);
    const busy = await holding(one, { mailbox: 'Here' });
    const order: string[] = [];
    const running = jobs.map((overrides, index) => {
      vi.advanceTimersByTime(waitedMs[index] ?? 0);
      return one.run(job({ mailbox: 'Elsewhere', ...overrides }), async () => {
        order.push(overrides.label ?? '');
      });
    });
    vi.advanceTimersByTime(waitedMs.at(-1) ?? 0);
    await busy.end();
    await Promise.all(running);
    return order;
  }

  it('goes to a waiter of its folder first', async () => {
    const jobs = [{ label: 'first' }, { label: 'second' }, { label: 'here', mailbox: 'Here' }];
    expect(await waiting(jobs, [0, 100, 100, 0])).toEqual(['here', 'first', 'second']);
  });

  it('goes to a waiter who prefers it', async () => {
    const jobs = [{ label: 'first' }, { label: 'prefers', prefers: () => true }];
    expect(await waiting(jobs, [0, 0])).toEqual(['prefers', 'first']);
  });

  it('goes to whoever has waited for too long, whatever its folder', async () => {
    const jobs = [{ label: 'old' }, { label: 'here', mailbox: 'Here' }];
    expect(await waiting(jobs, [0, 200, 51])).toEqual(['old', 'here']);
  });

  it('goes to the interactive lane, although a download waits for its folder and for longer', async () => {
    const jobs = [
      { label: 'bulk', lane: 'bulk' as const, mailbox: 'Here' },
      { label: 'listing', lane: 'interactive' as const },
    ];
    expect(await waiting(jobs, [0, 1_000])).toEqual(['listing', 'bulk']);
  });
});
