import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TracedRequest, Tracing } from '../../src/methods/operators/tracing.js';
import { accountKey } from '../../src/runtime/account-key.js';
import { FakeSocket } from '../watch/fixtures.js';

const filter = { server: 'main', user: 'anna' };
const key = accountKey({ tenant: 'shop', server: { name: 'main' }, user: 'anna' });
const request: TracedRequest = {
  ...{ tenant: 'shop', socket: 'socket-1', request: 7, method: 'message.list', ms: 1, outcome: 'ok' },
  ...{ source: null, explain: null },
};

/** A socket that traces anna. */
function traced(tracing: Tracing) {
  const socket = new FakeSocket();
  const { id, settle } = tracing.start(filter, socket);
  settle(true);
  return { socket, id };
}

describe('a trace', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('begins behind the answer that names it, and not where that was an error', () => {
    const tracing = new Tracing();
    const socket = new FakeSocket();
    const first = tracing.start(filter, socket);
    expect(tracing.wants(key)).toBe(false);
    first.settle(false);
    expect(tracing.wants(key)).toBe(false);
    tracing.start(filter, socket).settle(true);
    expect(tracing.wants(key)).toBe(true);
  });

  it('is of one user at one server, of all applications unless one is named', () => {
    const tracing = new Tracing();
    traced(tracing);
    const of = (tenant: string, server: string, user: string) =>
      tracing.wants(accountKey({ tenant, server: { name: server }, user }));
    expect([of('shop', 'main', 'anna'), of('other', 'main', 'anna')]).toEqual([true, true]);
    expect([of('shop', 'main', 'hanna'), of('shop', 'other', 'anna'), of('shop', 'main', 'x","anna')]).toEqual([
      ...[false, false, false],
    ]);
  });

  it('ends with its socket, also one that goes before the answer', () => {
    const tracing = new Tracing();
    const { socket } = traced(tracing);
    const late = tracing.start(filter, socket);
    socket.close();
    late.settle(true);
    expect(tracing.wants(key)).toBe(false);
  });

  it('is ended by its own socket alone', () => {
    const tracing = new Tracing();
    const { socket, id } = traced(tracing);
    expect(tracing.stop(id, new FakeSocket())).toBe(false);
    expect(tracing.stop(id, socket)).toBe(true);
    expect(tracing.stop(id, socket)).toBe(false);
  });

  it('tells 200 requests a second, and of others how many there were', () => {
    const tracing = new Tracing();
    const { socket } = traced(tracing);
    for (let count = 0; count < 250; count += 1) tracing.tell(key, request);
    expect(socket.frames).toHaveLength(200);
    vi.setSystemTime(1_001_000);
    tracing.tell(key, request);
    tracing.tell(key, request);
    expect(socket.frames.slice(200).map(({ params }) => params)).toMatchObject([{ missed: 50 }, { missed: 0 }]);
  });

  it('is refused to a socket that has ten, and to all when there are a hundred', () => {
    const tracing = new Tracing();
    const sockets = Array.from({ length: 10 }, () => new FakeSocket());
    for (const socket of sockets)
      for (let count = 0; count < 10; count += 1) tracing.start(filter, socket).settle(true);
    expect(() => tracing.start(filter, sockets[0] ?? new FakeSocket())).toThrow(/10 traces of this socket, of 10/);
    expect(() => tracing.start(filter, new FakeSocket())).toThrow(/100 in all, of 100/);
  });
});
