import { describe, expect, it } from 'vitest';
import { watchingBroker } from '../support/watching-broker.js';
import type { Message, RawClient } from './raw-client.js';

const params = (more: Record<string, unknown> = {}) => ({ session: 'live', mailboxes: ['INBOX'], ...more });
const eventsOf = (client: RawClient): Message[] => client.messages.filter(({ method }) => method === 'event');
const seqsOf = (client: RawClient) => eventsOf(client).map((event) => event.params?.seq);
const count = async (client: RawClient, wanted: number) => {
  await client.until(() => eventsOf(client).length >= wanted);
  return seqsOf(client);
};

describe('watch.start', () => {
  it('answers before any event, however early that comes', async () => {
    const { connect, watchers } = await watchingBroker();
    watchers.find = async (watcher) => {
      watcher.count('INBOX', 1);
      setImmediate(() => watcher.count('INBOX', 2));
    };
    const client = await connect();
    const { result } = await client.request('watch.start', params({ mailboxes: ['inbox', 'INBOX'] }));
    expect(result).toEqual({
      folders: false,
      topic: expect.any(String),
      epoch: 'e1',
      seq: 0,
      mailboxes: [{ mailbox: 'INBOX', uidValidity: 1, lagMs: 5, state: 's' }],
    });
    expect(await count(client, 2)).toEqual([1, 2]);
    const kinds = client.messages.map(({ method, id }) => method ?? `answer ${id}`);
    expect(kinds).toEqual(['broker.hello', 'answer 1', 'event', 'event']);
  });

  it('sends each socket the events of its folders, in the same words', async () => {
    const { connect, watchers } = await watchingBroker();
    const [one, both] = [await connect(), await connect()];
    const { result } = await one.request('watch.start', params());
    await both.request('watch.start', params({ mailboxes: ['INBOX', 'Work'] }));
    watchers.one.count('Work', 1);
    watchers.one.tell({ type: 'changed', mailbox: 'INBOX', uidValidity: 7, messages: [{ uid: 3, flags: ['\\Seen'] }] });
    expect(await count(both, 2)).toEqual([1, 2]);
    expect(await count(one, 1)).toEqual([2]);
    expect(eventsOf(one)[0]).toEqual(eventsOf(both)[1]);
    expect(eventsOf(one)[0]?.params).toMatchObject({ topic: result?.topic, epoch: 'e1', type: 'changed' });
  });

  it('names a folder that is missing, and begins nothing then', async () => {
    const { connect, watchers } = await watchingBroker();
    watchers.missing.add('Gone');
    const client = await connect();
    const { error } = await client.request('watch.start', params({ mailboxes: ['INBOX', 'Gone'] }));
    expect(error?.data).toMatchObject({ kind: 'NOT_FOUND', field: 'mailboxes' });
    expect(error?.message).toContain('"Gone"');
    expect((await client.request('watch.stop', { session: 'live' })).result).toEqual({ mailboxes: [] });
  });

  it('that is cancelled begins nothing', async () => {
    const { connect, watchers, hub } = await watchingBroker();
    let found = () => {};
    watchers.find = () =>
      new Promise((resolve) => {
        found = resolve;
      });
    const client = await connect();
    const id = client.ask('watch.start', params());
    await watchers.until(() => watchers.live.length === 1);
    client.notify('$/cancelRequest', { id });
    expect((await client.answer(id)).error?.data.kind).toBe('CANCELLED');
    found();
    expect((await client.request('watch.stop', { session: 'live' })).result).toEqual({ mailboxes: [] });
    expect(hub.stats.topics).toBe(1);
  });

  it('tells which limit is reached', async () => {
    const { connect } = await watchingBroker({ watches: { perAccount: 2, perSocket: 5 } });
    const client = await connect();
    await client.request('watch.start', params({ mailboxes: ['a', 'b'] }));
    const { error } = await client.request('watch.start', params({ mailboxes: ['c'] }));
    expect(error).toMatchObject({ code: -32011, data: { kind: 'RATE_LIMITED', field: 'mailboxes' } });
    expect(error?.message).toContain('2 of an account');
    const many = Array.from({ length: 101 }, (_, at) => `folder ${at}`);
    const refused = await client.request('watch.start', params({ mailboxes: many }));
    expect(refused.error?.data).toMatchObject({ kind: 'INVALID_PARAMS', field: 'mailboxes' });
  });
});

describe('watch.stop', () => {
  it('ends the watch of some folders, or of all', async () => {
    const { connect, watchers } = await watchingBroker();
    const client = await connect();
    await client.request('watch.start', params({ mailboxes: ['a', 'b', 'c'] }));
    const stopped = await client.request('watch.stop', params({ mailboxes: ['a'] }));
    expect(stopped.result).toEqual({ mailboxes: ['b', 'c'] });
    watchers.one.count('a', 1);
    watchers.one.count('b', 2);
    expect(await count(client, 1)).toEqual([2]);
    expect((await client.request('watch.stop', { session: 'live' })).result).toEqual({ mailboxes: [] });
    watchers.one.count('b', 3);
    await client.request('broker.ping');
    expect(seqsOf(client)).toEqual([2]);
  });
});

describe('a socket that is gone', () => {
  it('ends its watches; another that resumes gets what was missed after the answer, each event once', async () => {
    const { connect, watchers, hub } = await watchingBroker();
    const first = await connect();
    const { result } = await first.request('watch.start', params());
    watchers.one.count('INBOX', 1);
    await count(first, 1);
    first.ws.terminate();
    await expect.poll(() => hub.stats.subscribers).toBe(0);
    watchers.one.count('INBOX', 2);
    watchers.one.count('INBOX', 3);
    const second = await connect();
    const resumed = await second.request('events.resume', params({ epoch: result?.epoch, after: 1 }));
    expect(resumed.result).toMatchObject({ topic: result?.topic, seq: 3, replayed: 2, resync: false, missing: [] });
    watchers.one.count('INBOX', 4);
    expect(await count(second, 3)).toEqual([2, 3, 4]);
    expect(second.messages.map(({ method }) => method ?? 'answer').slice(1)).toEqual([
      'answer',
      'event',
      'event',
      'event',
    ]);
    const again = await second.request('events.resume', params({ epoch: result?.epoch, after: 1 }));
    expect(again.result).toMatchObject({ seq: 4, replayed: 0, resync: false });
    await second.request('broker.ping');
    expect(seqsOf(second)).toEqual([2, 3, 4]);
  });

  it('must list again at a broker that was restarted', async () => {
    const before = await watchingBroker({ epoch: 'before' });
    const first = await before.connect();
    const { result } = await first.request('watch.start', params());
    await first.close();
    const after = await watchingBroker({ epoch: 'after' });
    const second = await after.connect();
    const resumed = await second.request('events.resume', params({ epoch: result?.epoch, after: result?.seq }));
    expect(resumed.result).toMatchObject({ epoch: 'after', seq: 0, replayed: 0, resync: true });
    expect(resumed.result?.topic).not.toBe(result?.topic);
    after.watchers.one.count('INBOX', 1);
    expect(await count(second, 1)).toEqual([1]);
  });
});

describe('a socket that does not read', () => {
  it('is closed when too much waits for it; the others go on', async () => {
    const { connect, watchers } = await watchingBroker({ limits: { closeAboveBytes: 100_000 } });
    const [slow, quick] = [await connect(), await connect()];
    await slow.request('watch.start', params());
    await quick.request('watch.start', params());
    slow.ws.pause();
    const flags = Array.from({ length: 5000 }, (_, at) => `flag-${at}`);
    const all = 300;
    for (let told = 1; told <= all; told += 1) {
      watchers.one.tell({ type: 'changed', mailbox: 'INBOX', uidValidity: 1, messages: [{ uid: 1, flags }] });
      await quick.until(() => eventsOf(quick).length === told);
    }
    slow.ws.resume();
    expect([1006, 1013]).toContain(await slow.closed);
    expect(eventsOf(slow).length).toBeLessThan(all);
  });
});
