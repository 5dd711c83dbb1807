import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BrokerError } from '../../src/protocol/errors.js';
import { notifications } from '../../src/protocol/events.js';
import { Hub } from '../../src/watch/hub.js';
import type { Found, StartWatcher } from '../../src/watch/types.js';
import { account, FakeSocket, hubWith } from './fixtures.js';

describe('a watch', () => {
  it('has one watcher an account for many sockets, with all of their folders', async () => {
    const { watchers, watch } = hubWith();
    const sockets = Array.from({ length: 50 }, () => new FakeSocket());
    await Promise.all(sockets.map((socket, at) => watch(socket, [`folder ${at % 5}`])));
    expect(watchers.started).toHaveLength(1);
    expect([...watchers.one.mailboxes].sort()).toEqual(Array.from({ length: 5 }, (_, at) => `folder ${at}`));
    expect(watchers.one.calls).toHaveLength(1);
    watchers.one.count('folder 3', 1);
    expect(sockets.filter(({ seqs }) => seqs.length === 1)).toHaveLength(10);
  });

  it('has another watcher and another topic for another account', async () => {
    const { watchers, watch } = hubWith();
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    const { topic } = await watch(one, ['INBOX'], { key: 'anna' });
    expect((await watch(other, ['INBOX'], { key: 'bob' })).topic).not.toBe(topic);
    expect((await watch(new FakeSocket(), ['INBOX'], { key: 'anna' })).topic).toBe(topic);
    expect(topic).not.toContain('anna');
    watchers.started[1]?.count('INBOX', 1);
    expect([one.seqs, other.seqs]).toEqual([[], [1]]);
  });

  it('tells events as the contract has them, numbered 1, 2, 3 over all folders', async () => {
    const { watchers, watch } = hubWith();
    const [one, both] = [new FakeSocket(), new FakeSocket()];
    const { topic } = await watch(one, ['a']);
    await watch(both, ['a', 'b']);
    watchers.one.count('a', 1);
    watchers.one.tell({ type: 'vanished', mailbox: 'b', uidValidity: 1, uids: [4] });
    watchers.one.tell({ type: 'reset', mailbox: 'a' });
    expect(one.seqs).toEqual([1, 3]);
    expect(both.seqs).toEqual([1, 2, 3]);
    for (const { method, params } of both.frames) {
      expect(method).toBe('event');
      expect(notifications.event.params.parse(params)).toEqual(params);
      expect(params).toMatchObject({ topic, epoch: 'e1' });
    }
  });

  it('sends nothing before its request is answered, and then all since its number', async () => {
    const { watchers, begin } = hubWith();
    const socket = new FakeSocket();
    watchers.find = async (watcher) => watcher.count('a', 1);
    const beginning = await begin(socket, ['a']);
    watchers.one.count('a', 2);
    expect(socket.frames).toEqual([]);
    expect(beginning.seq).toBe(0);
    beginning.settle(true);
    expect(socket.seqs).toEqual([1, 2]);
    watchers.one.count('a', 3);
    expect(socket.seqs).toEqual([1, 2, 3]);
  });

  it('leaves what the socket watches already alone while it begins, but keeps the order', async () => {
    const { watchers, watch, begin } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a']);
    let found = () => {};
    watchers.find = () =>
      new Promise((resolve) => {
        found = resolve;
      });
    const beginning = begin(socket, ['b']);
    await watchers.until(() => watchers.one.calls.length === 2);
    watchers.one.count('a', 1);
    expect(socket.seqs).toEqual([1]);
    watchers.one.count('b', 2);
    watchers.one.count('a', 3);
    expect(socket.seqs).toEqual([1]);
    found();
    (await beginning).settle(true);
    expect((await beginning).seq).toBe(1);
    expect(socket.seqs).toEqual([1, 2, 3]);
  });

  it('whose request failed sends nothing, and what the socket watches already goes on', async () => {
    const { watchers, watch, begin } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a']);
    const beginning = await begin(socket, ['b']);
    watchers.one.count('b', 1);
    watchers.one.count('a', 2);
    expect(socket.seqs).toEqual([]);
    beginning.settle(false);
    watchers.one.count('b', 3);
    expect(socket.seqs).toEqual([2]);
  });

  it('of folders that it has already begins nothing twice', async () => {
    const { watchers, watch } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a']);
    await watch(socket, ['a', 'b']);
    watchers.one.count('a', 1);
    expect(socket.seqs).toEqual([1]);
  });

  it('of a folder that is missing is refused by name, and the watcher is not left with it', async () => {
    const { watchers, watch } = hubWith();
    watchers.missing.add('gone');
    await watch(new FakeSocket(), ['a']);
    await expect(watch(new FakeSocket(), ['a', 'gone'])).rejects.toMatchObject({
      kind: 'NOT_FOUND',
      field: 'mailboxes',
      message: expect.stringContaining('"gone"'),
    });
    await watchers.until(() => watchers.one.mailboxes.length === 1);
    expect(watchers.one.mailboxes).toEqual(['a']);
  });

  it('fails as its watcher does, and another may succeed', async () => {
    const { watchers, watch } = hubWith();
    watchers.find = () => Promise.reject(new Error('no server'));
    await expect(watch(new FakeSocket(), ['a'])).rejects.toThrow('no server');
    watchers.find = async () => {};
    await watch(new FakeSocket(), ['a']);
    expect(watchers.started).toHaveLength(1);
  });

  it('of a folder that the server refuses fails, and not another that was asked for in the same moment', async () => {
    const watched = { uidValidity: 1, lagMs: 5, state: 's' };
    const refusal = new BrokerError('IMAP_NO', 'The IMAP server refused: Not now.');
    const startWatcher: StartWatcher = () => ({
      watch: async (names) => new Map<string, Found>(names.map((name) => [name, name === 'busy' ? refusal : watched])),
      catchUp: async () => {},
      want: () => {},
      alive: true,
      close: () => {},
    });
    const hub = new Hub({ epoch: 'e1', startWatcher, log: pino({ level: 'silent' }) });
    onTestFinished(() => hub.close());
    const watch = (mailbox: string) => {
      const { signal } = new AbortController();
      return hub.watch({ account: account(), subscriber: new FakeSocket(), mailboxes: [mailbox], fields: [], signal });
    };
    const [busy, free] = await Promise.allSettled([watch('busy'), watch('free')]);
    expect(busy).toEqual({ status: 'rejected', reason: refusal });
    expect(free).toMatchObject({ status: 'fulfilled', value: { mailboxes: [{ mailbox: 'free' }] } });
  });

  it('that is given up does not hold up the next, whether the watcher heeds the signal or not', async () => {
    const { watchers, watch } = hubWith();
    const stop = new AbortController();
    watchers.find = () => new Promise(() => {});
    const hanging = watch(new FakeSocket(), ['a'], { signal: stop.signal });
    await watchers.until(() => watchers.one.calls.length === 1);
    watchers.find = async () => {};
    const next = watch(new FakeSocket(), ['b']);
    stop.abort(new Error('enough'));
    await expect(hanging).rejects.toThrow('enough');
    await next;
    expect(watchers.one.mailboxes).toEqual(['b']);
  });
});

describe('bounds', () => {
  it('of an account count the folders of all sockets, and those that nobody watches give way', async () => {
    const { watchers, watch, hub } = hubWith({ perAccount: 3 });
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    await watch(one, ['a', 'b']);
    await watch(other, ['b', 'c']);
    await expect(watch(other, ['d'])).rejects.toMatchObject({
      kind: 'RATE_LIMITED',
      field: 'mailboxes',
      message: expect.stringContaining('3'),
    });
    hub.unwatch(one, 'k', ['a']);
    await watch(other, ['d']);
    expect([...watchers.one.mailboxes].sort()).toEqual(['b', 'c', 'd']);
  });

  it('of a socket count the folders of all accounts', async () => {
    const { watch } = hubWith({ perSocket: 3 });
    const socket = new FakeSocket();
    await watch(socket, ['a', 'b']);
    await watch(socket, ['a'], { key: 'other' });
    await watch(socket, ['a', 'b']);
    await expect(watch(socket, ['b', 'c'])).rejects.toMatchObject({ kind: 'RATE_LIMITED', field: 'mailboxes' });
    await watch(new FakeSocket(), ['b', 'c']);
  });

  it('of memory: a socket that waits for its answer while more happens than is kept is given up', async () => {
    const { watchers, watch, begin } = hubWith({ log: { events: 5, ageMs: 60_000, bytes: 1_000_000 } });
    const [slow, other] = [new FakeSocket(), new FakeSocket()];
    await watch(other, ['a']);
    const beginning = await begin(slow, ['a']);
    for (let count = 0; count < 10; count += 1) watchers.one.count('a', count);
    beginning.settle(true);
    expect([slow.overruns, slow.seqs]).toEqual([1, []]);
    watchers.one.count('a', 10);
    expect([slow.overruns, slow.seqs]).toEqual([1, []]);
    expect([other.overruns, other.seqs.length]).toEqual([0, 11]);
  });
});

describe('the end of a watch', () => {
  it('comes with watch.stop, for some folders or for all', async () => {
    const { watchers, watch, hub } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a', 'b', 'c']);
    expect(hub.unwatch(socket, 'k', ['b', 'unknown']).sort()).toEqual(['a', 'c']);
    watchers.one.count('b', 1);
    watchers.one.count('a', 2);
    expect(socket.seqs).toEqual([2]);
    expect(hub.unwatch(socket, 'k')).toEqual([]);
    watchers.one.count('a', 3);
    expect(socket.seqs).toEqual([2]);
    expect(hub.unwatch(socket, 'nobody')).toEqual([]);
  });

  it('comes with the socket; the watcher lingers, then it ends', async () => {
    const { watchers, watch, hub } = hubWith({ lingerMs: 20 });
    const socket = new FakeSocket();
    await watch(socket, ['a']);
    const { one } = watchers;
    socket.close();
    one.count('a', 1);
    expect(socket.seqs).toEqual([]);
    expect(hub.stats).toMatchObject({ topics: 1, subscribers: 0 });
    await watchers.until(() => one.closed);
    expect(hub.stats).toEqual({ topics: 0, subscribers: 0, logBytes: 0 });
  });

  it('does not linger where the socket is not expected to come back', async () => {
    const { watchers, watch, hub } = hubWith();
    const [socket, other] = [new FakeSocket(), new FakeSocket()];
    await watch(socket, ['a']);
    await watch(other, ['b']);
    socket.close();
    hub.giveUp('k');
    expect(watchers.live).toHaveLength(1);
    other.close();
    hub.giveUp('k');
    expect(watchers.live).toEqual([]);
  });

  it('lingers for each folder by itself', async () => {
    const { watchers, watch } = hubWith({ lingerMs: 20 });
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    await watch(one, ['a']);
    await watch(other, ['b']);
    one.close();
    await watchers.until(() => watchers.one.mailboxes.length === 1);
    expect(watchers.one.mailboxes).toEqual(['b']);
  });

  it('comes with the last session of the account, and the sockets are told', async () => {
    const { watchers, watch, hub } = hubWith();
    const [socket, other] = [new FakeSocket(), new FakeSocket()];
    const { topic } = await watch(socket, ['a']);
    await watch(other, ['a'], { key: 'other' });
    watchers.find = () => new Promise(() => {});
    const waiting = watch(socket, ['b']);
    await watchers.until(() => watchers.started[0]?.calls.length === 2);
    hub.endAccount('k');
    await expect(waiting).rejects.toMatchObject({ kind: 'SESSION_EXPIRED' });
    expect(socket.frames).toEqual([{ jsonrpc: '2.0', method: 'watch.ended', params: { epoch: 'e1', topic } }]);
    expect(other.frames).toEqual([]);
    expect(watchers.started.map(({ closed }) => closed)).toEqual([true, false]);
    hub.endAccount('unknown');
  });

  it('on the way from the watcher to the answer is told after the answer', async () => {
    const { begin, hub } = hubWith();
    const socket = new FakeSocket();
    const beginning = await begin(socket, ['a']);
    hub.endAccount('k');
    socket.frames.length = 0;
    beginning.settle(true);
    expect(socket.frames.map(({ method }) => method)).toEqual(['watch.ended']);
  });

  it('comes with the hub, and no other begins then', async () => {
    const { watchers, watch, hub } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a']);
    hub.close();
    expect(watchers.live).toEqual([]);
    await expect(watch(socket, ['a'])).rejects.toMatchObject({ kind: 'DRAINING' });
  });
});
