import { describe, expect, it } from 'vitest';
import { answers } from '../../src/pool/lease/validate.js';
import type { ScriptedOptions } from '../support/scripted-server.js';
import { virtualTime } from '../support/virtual-time.js';
import { job, proven } from './fixtures.js';
import { busy, scripted, select } from './scripted-account.js';

describe('connections that are half-open', () => {
  /** An account with three idle connections in INBOX. */
  async function three(options: ScriptedOptions = {}) {
    const { server, registry } = await scripted(options);
    const account = await proven(registry, server.server(), { user: 'anna' });
    const jobs = await Promise.all([1, 2, 3].map(() => busy(account)));
    for (const { end } of jobs) await end();
    expect(account.stats.idle).toBe(3);
    return { server, account };
  }

  it.each([
    ['idle for a moment', 0],
    ['idle for ten seconds', 10_000],
    ['idle for a minute', 60_000],
  ])('cost a read five seconds at most, and one login: %s', async (_how, idleMs) => {
    const { server, account } = await three();
    await account.run(job({ mailbox: 'INBOX' }), select);
    const { pass, until } = virtualTime();
    await pass(idleMs);
    for (const peer of server.connections) peer.freeze();
    const read = account.run(job({ mailbox: 'INBOX', deadlineAt: Date.now() + 60_000 }), select);
    const tookMs = await until(read);
    expect((await read).path).toBe('INBOX');
    expect(tookMs).toBeLessThanOrEqual(5_000);
    expect(server.accepted).toBe(4);
    await pass(3_000);
    expect(account.stats).toMatchObject({ idle: 1, busy: 0 });
  });

  it('cost a read that does not begin with a barrier no more, where they were idle for some seconds', async () => {
    const { server, account } = await three();
    const { pass, until } = virtualTime();
    await pass(10_000);
    for (const peer of server.connections) peer.freeze();
    expect(
      await until(account.run(job({ deadlineAt: Date.now() + 60_000 }), (it) => it.select('Archive'))),
    ).toBeLessThanOrEqual(5_000);
    expect(server.accepted).toBe(4);
  });

  it('are closed without a question where the request has ended before', async () => {
    const { server, account } = await three();
    const [connection] = account.connections;
    if (!connection) throw new Error('no connection');
    const before = server.received.length;
    const slow = { afterMs: 1_000, tell: () => {} };
    const asking = answers(connection, { signal: AbortSignal.abort(), withinMs: 60_000, slow });
    expect(await asking).toBe(false);
    expect([connection.usable, connection.silent]).toEqual([false, false]);
    expect(server.received.length).toBe(before);
  });

  it('are not asked for nothing: one question for the connection that is lent, none for the others', async () => {
    const { server, account } = await three();
    const { pass, until } = virtualTime();
    await pass(60_000);
    const before = server.received.length;
    await until(account.run(job(), async () => {}));
    expect(server.names().slice(before)).toEqual(['NOOP']);
    expect(account.stats.idle).toBe(3);
  });

  it('are not what a slow server has: it is waited for, and not logged in to again and again', async () => {
    const { server, account } = await three();
    const { until } = virtualTime();
    server.on.NOOP = (command, peer) => void setTimeout(() => peer.ok(command), 3_500);
    for (let count = 0; count < 20; count += 1) {
      await until(account.run(job({ mailbox: 'INBOX', deadlineAt: Date.now() + 60_000 }), select));
    }
    // 20 logins, were each silence taken for a dead connection.
    expect(server.accepted - 3).toBeLessThanOrEqual(5);
  });
});
