import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CancelledError,
  createClient,
  NotFoundError,
  SessionExpiredError,
  UnauthenticatedError,
} from '../../src/client/index.js';
import { defaultFields } from '../../src/protocol/rows.js';
import { type StubHandler, signal } from '../server/stub-broker.js';
import { watchingBroker } from '../support/watching-broker.js';
import { cuttable, Noted } from './watching-client.js';

/** An address at which one broker follows another. */
function address() {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const unix = join(folder, 'broker.sock');
  return { listen: { unix }, url: `unix:${unix}` };
}

async function start(options: Parameters<typeof watchingBroker>[0] = {}) {
  const broker = await watchingBroker(options);
  const { client, cut, sent } = cuttable({ url: broker.url });
  const watch = async (mailboxes: string[], session: string | (() => string) = 'anna', signal?: AbortSignal) => {
    const noted = new Noted();
    noted.watch = await client.watch({ session, mailboxes, ...(signal ? { signal } : {}), ...noted.callbacks });
    return noted;
  };
  return { ...broker, client, cut, sent, watch };
}

const has = (wanted: number[]) => (noted: Noted) => noted.numbers.length >= wanted.length;

describe('client.watch', () => {
  it('tells what is watched, and then each event of its folders', async () => {
    const { watch, watcherOf } = await start();
    const noted = await watch(['inbox', 'Work']);
    expect(noted.watch?.mailboxes).toEqual([
      { mailbox: 'INBOX', uidValidity: 1, lagMs: 5, state: 's' },
      { mailbox: 'Work', uidValidity: 1, lagMs: 5, state: 's' },
    ]);
    watcherOf('anna').count('INBOX', 1);
    watcherOf('anna').count('Work', 2);
    await noted.until(has([1, 2]));
    expect(noted.events).toMatchObject([
      { type: 'counts', mailbox: 'INBOX', seq: 1 },
      { type: 'counts', mailbox: 'Work', seq: 2 },
    ]);
  });

  it('tells each event once while its sockets come of age', async () => {
    const { watch, watcherOf, logged } = await start({ limits: { ageMs: 60 } });
    const noted = await watch(['a']);
    const opened = () => logged.filter(({ msg }) => msg === 'socket opened').length;
    let sent = 0;
    while (opened() < 10) {
      sent += 1;
      watcherOf('anna').count('a', sent);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const all = Array.from({ length: sent }, (_, index) => index + 1);
    await noted.until(has(all));
    expect(noted.numbers).toEqual(all);
    expect([noted.resyncs, noted.ends, noted.errors]).toEqual([[], [], []]);
  });

  it('is there for a session as well', async () => {
    const { client, watcherOf } = await start();
    const noted = new Noted();
    await client.withSession('anna').watch({ mailboxes: ['a'], ...noted.callbacks });
    watcherOf('anna').count('a', 7);
    await noted.until(has([7]));
  });

  it('rejects what cannot be watched', async () => {
    const { watch, watchers, ended } = await start();
    watchers.missing.add('gone');
    await expect(watch(['gone'])).rejects.toBeInstanceOf(NotFoundError);
    ended.add('old');
    await expect(watch(['a'], 'old')).rejects.toBeInstanceOf(SessionExpiredError);
  });

  it('keeps watches of one account apart, by its folders and by its own end', async () => {
    const { watch, watcherOf, hub, watchers } = await start({ watches: { lingerMs: 20 } });
    const [both, one] = [await watch(['a', 'b']), await watch(['a'], 'anna+another-session')];
    watcherOf('anna').count('a', 1);
    watcherOf('anna').count('b', 2);
    await both.until(has([1, 2]));
    expect(one.numbers).toEqual([1]);
    await both.watch?.close();
    watcherOf('anna').count('a', 3);
    await one.until(has([1, 3]));
    expect(both.numbers).toEqual([1, 2]);
    await watchers.until(() => watcherOf('anna').mailboxes.length === 1);
    const { live } = watchers;
    await one.watch?.close();
    await watchers.until(() => live[0]?.closed === true);
    expect(hub.stats.topics).toBe(0);
    expect([...both.ends, ...one.ends]).toEqual([]);
  });

  it('does not take from a watch that begins what another one gives up', async () => {
    const { watch, watcherOf, watchers } = await start();
    const first = await watch(['a']);
    let found = () => {};
    watchers.find = () =>
      new Promise((resolve) => {
        found = resolve;
      });
    const beginning = watch(['a']);
    await watchers.until(() => watcherOf('anna').calls.length === 2);
    const closed = first.watch?.close();
    found();
    const second = await beginning;
    await closed;
    watcherOf('anna').count('a', 1);
    await second.until(has([1]));
    expect(first.numbers).toEqual([]);
  });

  it('ends with its signal, before it has begun and after', async () => {
    const { watch, watcherOf, watchers, client } = await start();
    const stop = new AbortController();
    const noted = await watch(['a'], 'anna', stop.signal);
    const other = await watch(['a']);
    stop.abort();
    watcherOf('anna').count('a', 1);
    await other.until(has([1]));
    expect([noted.numbers, noted.ends]).toEqual([[], []]);
    const early = new AbortController();
    watchers.find = () => new Promise(() => {});
    const beginning = watch(['b'], 'anna', early.signal);
    await watchers.until(() => watcherOf('anna').calls.length === 2);
    early.abort();
    await expect(beginning).rejects.toBeInstanceOf(CancelledError);
    client.close();
    await expect(watch(['a'])).rejects.toBeInstanceOf(CancelledError);
  });

  it('survives callbacks that throw, and tells', async () => {
    const { client, watch, watcherOf } = await start();
    const errors: unknown[] = [];
    const broken = {
      onEvent: () => {
        throw new Error('event');
      },
      onResync: () => {},
      onError: (error: unknown) => {
        errors.push(error);
        throw new Error('again');
      },
    };
    await client.watch({ session: 'anna', mailboxes: ['a'], ...broken });
    await client.watch({
      session: 'anna',
      mailboxes: ['a'],
      ...broken,
      onEvent: () => Promise.reject(new Error('later')),
    });
    await client.watch({ session: 'anna', mailboxes: ['a'], ...broken, onError: () => {} });
    const noted = await watch(['a']);
    watcherOf('anna').count('a', 1);
    watcherOf('anna').count('a', 2);
    await noted.until(has([1, 2]));
    await expect
      .poll(() => errors.map(String).sort())
      .toEqual(['Error: event', 'Error: event', 'Error: later', 'Error: later']);
  });
});

describe('a watch whose socket is lost', () => {
  it('goes on with what it missed, and asks once for all watches of an account', async () => {
    const { watch, watcherOf, cut, sent } = await start();
    const [one, other, bob] = [await watch(['a']), await watch(['b'], 'anna+2'), await watch(['a'], 'bob')];
    cut();
    for (const number of [1, 2]) watcherOf('anna').count('a', number);
    watcherOf('anna').count('b', 3);
    watcherOf('bob').count('a', 4);
    await Promise.all([one.until(has([1, 2])), other.until(has([3])), bob.until(has([4]))]);
    expect([one.numbers, other.numbers, bob.numbers]).toEqual([[1, 2], [3], [4]]);
    expect(sent.filter((method) => method === 'events.resume')).toHaveLength(2);
    expect([...one.resyncs, ...other.resyncs, ...bob.resyncs]).toEqual([]);
  });

  it('asks for the members of rows that its watches want, and for the folders', async () => {
    const { client, watcherOf, cut } = await start();
    const [one, other, plain] = [new Noted(), new Noted(), new Noted()];
    const preview = ['preview' as const, { headers: ['List-Id'] }];
    one.watch = await client.watch({
      session: 'anna',
      mailboxes: ['a'],
      fields: preview,
      folders: true,
      ...one.callbacks,
    });
    other.watch = await client.watch({ session: 'anna', mailboxes: ['a'], fields: ['size'], ...other.callbacks });
    plain.watch = await client.watch({ session: 'anna', mailboxes: ['b'], ...plain.callbacks });
    cut();
    const names = { deleted: [], renamed: [], subscribed: [], unsubscribed: [] };
    const tell = (name: string) => watcherOf('anna').tell({ type: 'folders', created: [name], ...names });
    tell('New');
    await one.until(({ events }) => events.length > 0);
    const all = watcherOf('anna').wanted;
    expect(new Set(all.filter((field) => typeof field === 'string'))).toEqual(new Set([...defaultFields, 'preview']));
    expect(all).toContainEqual({ headers: ['List-Id'] });
    const row = { uid: 1, size: 7, preview: 'Hi', previewSource: 'server' as const, headers: [], flags: [] };
    watcherOf('anna').tell({ type: 'new', mailbox: 'a', uidValidity: 1, messages: [row] }, all);
    await Promise.all([one.until(({ events }) => events.length > 1), other.until(({ events }) => events.length > 0)]);
    expect(one.events).toMatchObject([
      { type: 'folders', created: ['New'] },
      { type: 'new', messages: [{ preview: 'Hi', size: 7 }] },
    ]);
    expect(other.events).toMatchObject([{ type: 'new', messages: [{ size: 7 }] }]);
    expect([plain.events, one.resyncs]).toEqual([[], []]);
    await one.watch.close();
    tell('Newer');
    watcherOf('anna').count('b', 2);
    await plain.until(({ events }) => events.length > 0);
    expect(one.events).toHaveLength(2);
  });

  it('uses the token of then', async () => {
    const { watch, watcherOf, cut, ended } = await start();
    let token = 'anna+old';
    const noted = await watch(['a'], () => token);
    token = 'anna+new';
    ended.add('anna+old');
    cut();
    watcherOf('anna').count('a', 1);
    await noted.until(has([1]));
  });

  it('of which a folder is gone says so for that folder, and goes on with the others', async () => {
    const { watch, watcherOf, watchers, cut } = await start();
    const [noted, alone] = [await watch(['a', 'b']), await watch(['b'])];
    watchers.missing.add('b');
    cut();
    watcherOf('anna').count('a', 1);
    await Promise.all([noted.until(has([1])), alone.until(({ ends }) => ends.length > 0)]);
    expect(noted.resyncs).toEqual([['b']]);
    expect(alone.ends).toEqual([expect.any(NotFoundError)]);
  });

  it('comes back with hundreds of others, within the requests that a socket may have at once', async () => {
    const { watch, watcherOf, cut } = await start({ limits: { pendingRequests: 40 } });
    const users = Array.from({ length: 500 }, (_, at) => `user-${at}`);
    const all: Noted[] = [];
    for (const user of users) all.push(await watch(['a'], user));
    cut();
    for (const user of users) watcherOf(user).count('a', 1);
    await Promise.all(all.map((noted) => noted.until(has([1]))));
    expect(all.every(({ numbers, resyncs }) => numbers.length === 1 && resyncs.length === 0)).toBe(true);
  });
});

describe('a watch whose broker restarts', () => {
  it.each(['drains', 'stops at once'])('is told to list again once, and goes on, when it %s', async (how) => {
    const { listen, url } = address();
    const before = await watchingBroker({ listen, epoch: 'before' });
    const client = createClient({ url, token: 'good' });
    onTestFinished(() => client.close());
    const [one, other] = [new Noted(), new Noted()];
    await client.watch({ session: 'anna', mailboxes: ['a'], ...one.callbacks });
    await client.watch({ session: 'anna+2', mailboxes: ['a', 'b'], ...other.callbacks });
    before.watcherOf('anna').count('a', 1);
    await one.until(has([1]));
    if (how === 'drains') await before.listener.drain(1000);
    else await before.listener.close();
    const after = await watchingBroker({ listen, epoch: 'after' });
    await Promise.all([one, other].map((noted) => noted.until(({ resyncs }) => resyncs.length > 0)));
    after.watcherOf('anna').count('b', 2);
    after.watcherOf('anna').count('a', 3);
    await Promise.all([one.until(has([1, 3])), other.until(has([1, 2, 3]))]);
    expect([one.numbers, other.numbers]).toEqual([
      [1, 3],
      [1, 2, 3],
    ]);
    expect([one.resyncs, other.resyncs]).toEqual([[['a']], [['a', 'b']]]);
    expect([...one.ends, ...other.ends]).toEqual([]);
  });

  it('goes over to another socket before it has lost the one that drains', async () => {
    const [begun, gate] = [signal(), signal()];
    const wait: StubHandler = async () => {
      begun.fire();
      await gate.fired;
      return { version: '1', epoch: 'e', time: new Date().toISOString() };
    };
    const { listen, url } = address();
    const before = await watchingBroker({ listen, epoch: 'before', handlers: { 'broker.ping': wait } });
    const client = createClient({ url, token: 'good' });
    onTestFinished(() => client.close());
    const noted = new Noted();
    await client.watch({ session: 'anna', mailboxes: ['a'], ...noted.callbacks });
    const running = client.broker.ping();
    await begun.fired;
    const drained = before.listener.drain(10_000);
    before.watcherOf('anna').count('a', 1);
    await noted.until(has([1]));
    const after = await watchingBroker({ listen, epoch: 'after' });
    await noted.until(({ resyncs }) => resyncs.length === 1);
    after.watcherOf('anna').count('a', 2);
    await noted.until(has([1, 2]));
    gate.fire();
    await Promise.all([running, drained]);
    expect(noted.numbers).toEqual([1, 2]);
  });
});

describe('a watch whose session ends', () => {
  it('ends with the reason, and those of other sessions go on', async () => {
    const { watch, watcherOf, hub, ended } = await start();
    const [one, other] = [await watch(['a'], 'anna+1'), await watch(['a'], 'anna+2')];
    ended.add('anna+1');
    hub.endAccount('anna');
    await one.until(({ ends }) => ends.length > 0);
    expect(one.ends).toEqual([expect.any(SessionExpiredError)]);
    await other.until(({ resyncs }) => resyncs.length === 1);
    watcherOf('anna').count('a', 1);
    await other.until(has([1]));
    expect([one.numbers, one.resyncs, other.ends]).toEqual([[], [], []]);
  });

  it('ends when the broker takes the application no more', async () => {
    const { listen, url } = address();
    const before = await watchingBroker({ listen });
    const { client } = cuttable({ url });
    const noted = new Noted();
    await client.watch({ session: 'anna', mailboxes: ['a'], ...noted.callbacks });
    await before.listener.close();
    await watchingBroker({ listen, tenants: [] });
    await noted.until(({ ends }) => ends.length > 0);
    expect(noted.ends).toEqual([expect.any(UnauthenticatedError)]);
  });
});
