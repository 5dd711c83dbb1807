import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../src/protocol/errors.js';
import { Trace } from '../../src/runtime/trace.js';
import { upstream } from '../support/upstream.js';
import { type FakeConnection, FakeServers } from './fake-server.js';
import { holding, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });

async function account(connectionsPerAccount = 1) {
  const fakes = new FakeServers();
  return { fakes, one: await proven(registryWith({ connectionsPerAccount }, fakes.connect), server) };
}

/** Work of so many commands, and bytes in proportion. */
const work = (count: number) => async (connection: unknown) => {
  const fake = connection as FakeConnection;
  for (let index = 0; index < count; index += 1) {
    fake.trace?.command(index === 0 ? 'SELECT' : 'UID FETCH', 2);
    fake.bytes = { sent: fake.bytes.sent + 10, received: fake.bytes.received + 100 };
  }
};

describe('a trace', () => {
  it('tells what was done with the connection while the job had it, and no more', async () => {
    const { one } = await account();
    await one.run(job(), work(7));
    const trace = new Trace();
    await one.run(job({ trace }), work(3));
    await one.run(job(), work(7));
    expect(trace.explanation(12.3456)).toMatchObject({
      totalMs: 12.35,
      connectMs: 0,
      selectMs: 2,
      commandMs: 4,
      commands: ['SELECT', 'UID FETCH', 'UID FETCH'],
      sentBytes: 30,
      receivedBytes: 300,
      connection: 'fake-1',
      attempts: 1,
    });
  });

  it('adds up what was done before and after a connection was lost', async () => {
    const { one } = await account();
    const trace = new Trace();
    let attempts = 0;
    await one.run(job({ trace }), async (connection) => {
      await work(2)(connection);
      attempts += 1;
      if (attempts > 1) return;
      connection.close();
      throw new BrokerError('CONNECTION_LOST', 'lost');
    });
    const told = trace.explanation(1);
    expect(told).toMatchObject({ sentBytes: 40, receivedBytes: 400, connection: 'fake-2', attempts: 2 });
    expect(told.commands).toHaveLength(4);
  });

  it('tells of the login that the job waited for, as a part of its wait', async () => {
    const { fakes, one } = await account();
    await one.evictIdle();
    fakes.turns = 50;
    const trace = new Trace();
    await one.run(job({ trace }), work(1));
    const { queueMs, connectMs } = trace.explanation(1);
    expect(connectMs).toBeGreaterThan(0);
    expect(queueMs).toBeGreaterThanOrEqual(connectMs);
  });

  it('of a shared read tells each request of its own wait, and all of the same work', async () => {
    const { one } = await account();
    const busy = await holding(one);
    const traces = [new Trace(), new Trace()];
    const running = traces.map((trace) => one.share('list', job({ trace }), work(2), { maxAgeMs: 0 }));
    await busy.end();
    await Promise.all(running);
    const [first, second] = traces.map((trace) => trace.explanation(1));
    expect(second).toMatchObject({
      commands: ['SELECT', 'UID FETCH'],
      sentBytes: 20,
      connection: 'fake-1',
      attempts: 1,
    });
    expect(second?.queueMs).toBeLessThanOrEqual(first?.queueMs ?? 0);
  });

  it('names at most 50 commands, but counts the time of all', () => {
    const trace = new Trace();
    for (let count = 0; count < 60; count += 1) trace.command('NOOP', 1);
    expect(trace.explanation(1)).toMatchObject({ commandMs: 60, attempts: 0, connection: null });
    expect(trace.explanation(1).commands).toHaveLength(50);
  });
});
