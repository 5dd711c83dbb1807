import { describe, expect, it } from 'vitest';
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
