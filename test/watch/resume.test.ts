import { describe, expect, it } from 'vitest';
import type { MailboxChange } from '../../src/watch/types.js';
import { FakeSocket, hubWith } from './fixtures.js';

/** A hub with a watch of these folders whose socket is gone again, and events on them. */
async function left(folders: string[], events: string[], limits: Parameters<typeof hubWith>[0] = {}) {
  const made = hubWith(limits);
  const socket = new FakeSocket();
  await made.watch(socket, folders);
  socket.close();
  events.forEach((mailbox, at) => {
    made.watchers.one.count(mailbox, at + 1);
  });
  return made;
}

describe('a socket that comes back', () => {
  it('is sent what it missed of its folders, after the answer and before anything newer', async () => {
    const { watchers, begin } = await left(['a', 'b', 'c'], ['a', 'b', 'c', 'a', 'c']);
    const socket = new FakeSocket();
    const beginning = await begin(socket, ['a', 'b'], { after: 1 });
    expect(beginning).toMatchObject({ seq: 5, replayed: 2, resync: false, missing: [] });
    watchers.one.count('a', 6);
    expect(socket.seqs).toEqual([]);
    beginning.settle(true);
    expect(socket.seqs).toEqual([2, 4, 6]);
  });

  it('from another broker is not sent what the watch was late with, for it lists the folders after the answer', async () => {
    const { watchers, begin } = await left(['a', 'b'], ['a']);
    watchers.late.set('a', (watcher) => watcher.count('a', 2));
    const socket = new FakeSocket();
    const beginning = await begin(socket, ['a', 'b'], { after: 1, epoch: 'another' });
    expect(beginning).toMatchObject({ seq: 2, replayed: 0, resync: true });
    beginning.settle(true);
    watchers.one.count('b', 3);
    expect(socket.seqs).toEqual([3]);
  });

  it('has missed nothing when it is up to date', async () => {
    const { watchers, watch } = await left(['a'], ['a']);
    const socket = new FakeSocket();
    expect(await watch(socket, ['a'], { after: 1 })).toMatchObject({ seq: 1, replayed: 0, resync: false });
    watchers.one.count('a', 2);
    expect(socket.seqs).toEqual([2]);
  });

  it('is sent nothing that it has been sent, even if it asks again, or for other folders', async () => {
    const { watchers, watch } = await left(['a', 'b'], ['a', 'b', 'a', 'b']);
    const socket = new FakeSocket();
    await watch(socket, ['a'], { after: 2 });
    expect(socket.seqs).toEqual([3]);
    watchers.one.count('a', 5);
    expect(await watch(socket, ['a', 'b'], { after: 2 })).toMatchObject({ replayed: 1 });
    expect(socket.seqs).toEqual([3, 5, 4]);
    expect(await watch(socket, ['a'], { after: 0 })).toMatchObject({ replayed: 1 });
    expect(socket.seqs).toEqual([3, 5, 4, 1]);
    watchers.one.count('b', 6);
    expect(socket.seqs).toEqual([3, 5, 4, 1, 6]);
  });

  it('in two requests at once gets each event once', async () => {
    const { watchers, begin } = await left(['a', 'b'], ['a', 'b']);
    const socket = new FakeSocket();
    const [first, second] = await Promise.all([
      begin(socket, ['a'], { after: 0 }),
      begin(socket, ['a', 'b'], { after: 0 }),
    ]);
    watchers.one.count('a', 3);
    second.settle(true);
    watchers.one.count('b', 4);
    first.settle(true);
    expect(socket.seqs.sort()).toEqual([1, 2, 3, 4]);
  });

  it('watches what is left when a folder is gone', async () => {
    const { watchers, begin } = await left(['a', 'b'], ['a']);
    watchers.missing.add('b');
    const beginning = await begin(new FakeSocket(), ['a', 'b'], { after: 0 });
    expect(beginning).toMatchObject({ replayed: 1, resync: false, missing: ['b'] });
    expect(beginning.mailboxes.map(({ mailbox }) => mailbox)).toEqual(['a']);
  });
});

describe('a socket that comes back and must list again', () => {
  it.each([
    ['because its epoch is another one', { epoch: 'e0', after: 1 }, ['a']],
    ['because its number lies ahead', { after: 9 }, ['a']],
    ['because nobody watched one of its folders', { after: 1 }, ['a', 'new']],
  ])('%s', async (_why, wish, folders) => {
    const { watchers, watch } = await left(['a'], ['a', 'a']);
    const socket = new FakeSocket();
    expect(await watch(socket, folders, wish)).toMatchObject({ seq: 2, replayed: 0, resync: true });
    watchers.one.count('a', 3);
    expect(socket.seqs).toEqual([3]);
  });

  it('because more happened than is kept', async () => {
    const { watch } = await left(['a'], ['a', 'a', 'a', 'a'], { log: { events: 2, ageMs: 60_000, bytes: 1_000_000 } });
    expect(await watch(new FakeSocket(), ['a'], { after: 1 })).toMatchObject({ resync: true });
    expect(await watch(new FakeSocket(), ['a'], { after: 2 })).toMatchObject({ resync: false, replayed: 2 });
  });

  it.each([[['a']], [[]]])('because the watch has ended meanwhile, after the events %j', async (events) => {
    const { watchers, watch } = await left(['a'], events, { lingerMs: 10 });
    const [first] = watchers.started;
    await watchers.until(() => first?.closed === true);
    // Another socket has begun anew: the numbers of before must not look as if they were of this watch.
    await watch(new FakeSocket(), ['a']);
    const { resync, seq, topic } = await watch(new FakeSocket(), ['a'], { after: events.length });
    expect(resync).toBe(true);
    expect(seq).toBeGreaterThan(events.length);
    expect(topic).toBe((await watch(new FakeSocket(), ['a'])).topic);
  });

  it('because its folder was given up while others were watched', async () => {
    const { watchers, watch } = hubWith({ lingerMs: 10 });
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    await watch(other, ['b']);
    const { seq } = await watch(one, ['a']);
    one.close();
    await watchers.until(() => watchers.one.mailboxes.length === 1);
    await watch(new FakeSocket(), ['a']);
    expect(await watch(new FakeSocket(), ['a'], { after: seq })).toMatchObject({ resync: true });
    expect(other.frames).toEqual([]);
  });
});

describe('rows of new messages', () => {
  const row = (uid: number) => ({
    uid,
    flags: ['\\Seen'],
    size: 7,
    preview: 'Hi',
    previewSource: 'broker' as const,
    headers: [
      { name: 'List-Id', value: 'one' },
      { name: 'x-priority', value: '1' },
    ],
  });
  const fresh = (uid: number): MailboxChange => ({ type: 'new', mailbox: 'a', uidValidity: 1, messages: [row(uid)] });
  const rowsOf = (socket: FakeSocket) =>
    socket.frames.map(({ params }) => (params.type === 'new' ? [params.messages, params.more] : []));

  it('have for each socket what it asked for, and are fetched with what all of them want', async () => {
    const { watchers, watch } = hubWith();
    const [one, other, third] = [new FakeSocket(), new FakeSocket(), new FakeSocket()];
    await watch(one, ['a'], { fields: ['flags', { headers: ['X-Priority'] }] });
    await watch(other, ['a'], { fields: ['size', 'preview'] });
    await watch(third, ['a'], { fields: [] });
    const { wanted } = watchers.one;
    expect(wanted).toEqual(['flags', 'size', 'preview', { headers: ['X-Priority'] }]);
    watchers.one.tell(fresh(1), wanted);
    expect(rowsOf(one)).toEqual([
      [[{ uid: 1, flags: ['\\Seen'], headers: [{ name: 'X-Priority', value: '1' }] }], undefined],
    ]);
    expect(rowsOf(other)).toEqual([[[{ uid: 1, size: 7, preview: 'Hi', previewSource: 'broker' }], undefined]]);
    expect(rowsOf(third)).toEqual([[[{ uid: 1 }], undefined]]);
  });

  it('have for a socket all that it has asked for of a folder, by several requests', async () => {
    const { watchers, watch } = hubWith();
    const socket = new FakeSocket();
    await watch(socket, ['a'], { fields: ['flags'] });
    await watch(socket, ['a', 'b'], { fields: ['size'] });
    const all = ['flags' as const, 'size' as const, 'preview' as const];
    watchers.one.tell(fresh(1), all);
    watchers.one.tell({ ...fresh(2), mailbox: 'b' } as MailboxChange, all);
    expect(rowsOf(socket).map(([rows]) => rows)).toEqual([
      [{ uid: 1, flags: ['\\Seen'], size: 7 }],
      [{ uid: 2, size: 7 }],
    ]);
  });

  it('that a lost socket missed have what it asked for; for one that wants more, they are to be listed', async () => {
    const { watchers, watch } = hubWith();
    const lost = new FakeSocket();
    await watch(lost, ['a'], { fields: ['flags', 'preview'] });
    lost.close();
    watchers.one.tell(fresh(1), watchers.one.wanted);
    const [back, more] = [new FakeSocket(), new FakeSocket()];
    await watch(back, ['a'], { fields: ['preview'], after: 0 });
    expect(rowsOf(back)).toEqual([[[{ uid: 1, preview: 'Hi', previewSource: 'broker' }], undefined]]);
    expect(await watch(more, ['a'], { fields: ['preview', 'envelope'], after: 0 })).toMatchObject({ resync: false });
    expect(rowsOf(more)).toEqual([[[], true]]);
  });

  it('are not fetched with more than some socket has wanted of late', async () => {
    const { watchers, watch } = hubWith({ lingerMs: 20 });
    const [lost, stays] = [new FakeSocket(), new FakeSocket()];
    await watch(lost, ['a'], { fields: ['preview'] });
    await watch(stays, ['a'], { fields: ['flags'] });
    lost.close();
    expect(watchers.one.wanted).toEqual(['preview', 'flags']);
    await expect.poll(() => watchers.one.wanted).toEqual(['flags']);
  });

  it('have at most so many header lines, by all sockets of an account', async () => {
    const { watch } = hubWith();
    const headers = (from: number) => [{ headers: Array.from({ length: 20 }, (_, at) => `X-${from + at}`) }];
    for (let from = 0; from < 100; from += 20) await watch(new FakeSocket(), ['a'], { fields: headers(from) });
    await expect(watch(new FakeSocket(), ['a'], { fields: headers(100) })).rejects.toMatchObject({
      kind: 'RATE_LIMITED',
      field: 'fields',
    });
    await watch(new FakeSocket(), ['a'], { fields: headers(0) });
  });
});
