import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ParamsIn } from '../../src/protocol/contract.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { LeanImap } from '../support/lean-imap.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { ScriptedFolder } from '../support/scripted-folder.js';
import { oddVisitor } from './dialects/odd-visitor.js';

type Params = Omit<ParamsIn<'mailbox.changes'>, 'session' | 'mailbox' | 'since'>;

/** A user with mail on a server, who reads it by one broker after the other. */
async function reader({ dovecot }: Dialect, count: number) {
  const user = dovecot.user();
  const imap = await LeanImap.open(dovecot.plainPort, user, dovecot.password);
  onTestFinished(() => imap.close());
  const append = (times = 1) =>
    imap.send(
      ...Array.from({ length: times }, (_, index) => `APPEND INBOX {18}\r\nSubject: ${index % 10}\r\n\r\nMail`),
    );
  /** One after the other: Dovecot runs commands of one packet together. */
  const act = async (...commands: string[]) => {
    for (const command of ['NOOP', ...commands]) await imap.all(command);
  };
  await imap.all('SELECT INBOX');
  for (let left = count; left > 0; left -= 500) await append(Math.min(left, 500));
  /** On a broker that was just started. */
  async function visit() {
    const broker = await runBroker(dovecot, { checkResults: true });
    const client = await RawClient.open(broker.url);
    const session = await client.login(user, dovecot.password);
    const mailbox = 'INBOX';
    const list = (limit = 50) => client.call('message.list', { session, mailbox, limit, fields: ['flags'] });
    return {
      list,
      find: (params: Omit<ParamsIn<'message.list'>, 'session' | 'mailbox'>) =>
        client.call('message.list', { session, mailbox, ...params }),
      conversations: () => client.call('message.threads', { session, mailbox }),
      state: async () => (await list()).state ?? '',
      unchanged: (ifState: string) => client.call('message.list', { session, mailbox, ifState }),
      changes: (since: string, params: Params = {}, of = mailbox) =>
        client.call('mailbox.changes', { session, mailbox: of, since, ...params }),
      leave: async () => {
        await client.close();
        await broker.stop();
      },
    };
  }
  /** The state that a broker answered which has stopped since. */
  async function earlier() {
    const visitor = await visit();
    const state = await visitor.state();
    await visitor.leave();
    return state;
  }
  const next = async () => {
    const visitor = await visit();
    onTestFinished(() => visitor.leave());
    return visitor;
  };
  return { act, append, earlier, next };
}

/** What the servers can tell without help. */
const dialects: [DialectName, { flags: boolean; removals: boolean }][] = [
  ['full', { flags: true, removals: true }],
  ['without QRESYNC', { flags: true, removals: false }],
  ['without CONDSTORE', { flags: false, removals: false }],
  ['bare', { flags: false, removals: false }],
];

describe.each(dialects)('a state from before a restart, on a server that is %s', (name, { flags, removals }) => {
  let dialect: Dialect;
  beforeAll(async () => {
    dialect = await startDialect(name);
  });
  afterAll(() => dialect.dovecot.stop());

  /** What is unknown where nothing is gone, and where something is. */
  const unlessFlags = flags ? [] : ['changed'];
  const unlessRemovals = [...unlessFlags, ...(removals ? [] : ['removed'])];

  it('tells flags that changed, mail that came and, where that can be known, what is gone', async () => {
    const { act, append, earlier, next } = await reader(dialect, 6);
    const since = await earlier();
    await act('UID STORE 2 +FLAGS.SILENT (\\Flagged)', 'UID STORE 3,5 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE');
    await append(2);
    const { changes, list } = await next();
    const told = await changes(since);
    expect(told).toMatchObject({
      complete: unlessRemovals.length === 0,
      reset: false,
      unknown: unlessRemovals,
      total: 6,
      added: [7, 8],
      removed: removals ? [3, 5] : [],
    });
    expect(told.changed).toEqual(flags ? [{ uid: 2, flags: ['\\Flagged'] }] : []);
    expect((await list()).messages.map(({ uid }) => uid)).toEqual([8, 7, 6, 4, 2, 1]);
  });

  it('tells what is gone to a caller who says what it has', async () => {
    const { act, append, earlier, next } = await reader(dialect, 6);
    const since = await earlier();
    await act('UID STORE 1:2,5 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE', 'UID STORE 3 +FLAGS.SILENT (\\Seen)');
    await append();
    const { changes } = await next();
    for (const uids of ['4:6,1', [[1, 1] as [number, number], [4, 6] as [number, number]]]) {
      expect(await changes(since, { uids })).toMatchObject({
        unknown: unlessFlags,
        added: [7],
        changed: [],
        removed: [1, 5],
      });
    }
    expect(await changes(since, { uids: '1:4294967295' })).toMatchObject({
      unknown: unlessFlags,
      changed: flags ? [{ uid: 3, flags: ['\\Seen'] }] : [],
      removed: [1, 2, 5],
    });
  });

  it.each([0, 3])(
    'tells what came since and is gone, for a later answer may have shown it; %i messages before',
    async (count) => {
      const { act, append, earlier, next } = await reader(dialect, count);
      const since = await earlier();
      await append(2);
      const [first, second] = [count + 1, count + 2];
      const shown = await next();
      expect((await shown.list()).messages.map(({ uid }) => uid).slice(0, 2)).toEqual([second, first]);
      await act(`UID STORE ${first} +FLAGS.SILENT (\\Deleted)`, 'EXPUNGE');
      const unknown = count > 0 ? unlessFlags : [];
      for (const { changes } of [shown, await next()]) {
        expect(await changes(since)).toMatchObject({ unknown, total: count + 1, added: [second], removed: [first] });
        expect(await changes(since, { uids: `1:${second}` })).toMatchObject({ unknown, removed: [first] });
        expect(await changes(since, { uids: `${second}` })).toMatchObject({ unknown, removed: [] });
      }
      await act(`UID STORE ${second} +FLAGS.SILENT (\\Deleted)`, 'EXPUNGE');
      for (const { changes } of [shown, await next()]) {
        expect(await changes(since)).toMatchObject({ unknown, total: count, added: [], removed: [first, second] });
      }
    },
  );

  it('tells by the number of messages that none is gone', async () => {
    const { append, earlier, next } = await reader(dialect, 3);
    const since = await earlier();
    await append();
    const { changes } = await next();
    expect(await changes(since)).toMatchObject({ unknown: unlessFlags, added: [4], changed: [], removed: [] });
  });

  it.each([0, 3])('tells that nothing has changed, in a folder of %i messages', async (count) => {
    const { earlier, next } = await reader(dialect, count);
    const since = await earlier();
    const { changes, unchanged } = await next();
    const nothing = { added: [], changed: [], removed: [], total: count };
    expect(await changes(since)).toMatchObject({ ...nothing, unknown: count > 0 ? unlessFlags : [], reset: false });
    const listed = await unchanged(since);
    expect('unchanged' in listed).toBe(flags);
  });

  it('is followed by states that tell what happens to messages that this broker has never listed', async () => {
    const { act, append, earlier, next } = await reader(dialect, 4);
    const since = await earlier();
    await append();
    const { changes } = await next();
    const first = await changes(since);
    expect(first.added).toEqual([5]);
    await act('UID STORE 1,5 +FLAGS.SILENT (\\Answered)', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE');
    const second = await changes(first.state, { uids: '1:5' });
    expect(second).toMatchObject({ unknown: unlessFlags, added: [], removed: [2] });
    if (flags) expect(second.changed.map(({ uid }) => uid).sort()).toEqual([1, 5]);
    const third = await changes(second.state, { uids: '1:5' });
    expect(third.added).toEqual([]);
  });

  it.each<[string, (visitor: Awaited<ReturnType<Awaited<ReturnType<typeof reader>>['next']>>) => Promise<unknown>]>([
    ['found', ({ find }) => find({ filter: { flagged: false }, fields: ['flags'] })],
    ['sorted', ({ find }) => find({ sort: [{ by: 'size', descending: false }], fields: ['flags'] })],
    ['listed by uid alone', ({ find }) => find({ fields: [], limit: 10_000 })],
    ['in conversations', ({ conversations }) => conversations()],
  ])('tells what became of messages that were answered as %s, whether a page had them or not', async (_how, ask) => {
    const { act, next } = await reader(dialect, 6);
    const visitor = await next();
    const { state: oldest } = await visitor.list(1);
    const { state: since } = (await ask(visitor)) as { state: string };
    expect(await visitor.changes(since)).toMatchObject({ complete: true, changed: [], removed: [] });
    await act('UID STORE 2 +FLAGS.SILENT (\\Flagged)', 'UID STORE 3,5 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE');
    // Also to a caller that asks with an older state, which it has of another page.
    for (const state of [since, oldest ?? '']) {
      const told = await visitor.changes(state);
      if (!told.unknown.includes('changed')) expect(told.changed).toEqual([{ uid: 2, flags: ['\\Flagged'] }]);
      if (!told.unknown.includes('removed')) expect(told.removed.toSorted()).toEqual([3, 5]);
      expect(unlessRemovals).toEqual(expect.arrayContaining(told.unknown));
      expect(told.complete).toBe(told.unknown.length === 0);
    }
  });

  it('brings the rows of new mail, newest first', async () => {
    const { append, earlier, next } = await reader(dialect, 1);
    const since = await earlier();
    await append(3);
    const { changes } = await next();
    const told = await changes(since, { rows: true, fields: ['envelope', 'flags'] });
    expect(told.rows?.map(({ uid, envelope }) => [uid, envelope?.subject])).toEqual([
      [4, '2'],
      [3, '1'],
      [2, '0'],
    ]);
    expect(told.more).toBeUndefined();
    expect((await changes(told.state, { rows: true })).rows).toEqual([]);
    await append();
    const later = await changes(told.state, { rows: true });
    expect(later.rows?.map(({ uid }) => uid)).toEqual([5]);
  });

  it('after a long time tells all that came, with the rows of the newest', async () => {
    const { act, append, earlier, next } = await reader(dialect, 40);
    const since = await earlier();
    for (let round = 0; round < 3; round += 1) await append(400);
    await act('UID STORE 1:30 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE');
    await act('UID STORE 41:1240 +FLAGS.SILENT (\\Seen)');
    const { changes, state } = await next();
    await state();
    const told = await changes(since, { rows: true, fields: ['flags'] });
    expect(told.added).toEqual(Array.from({ length: 1200 }, (_, index) => index + 41));
    expect(told.changed).toEqual([]);
    expect(told.removed).toHaveLength(removals ? 30 : 0);
    expect(told.rows).toHaveLength(500);
    expect(told.rows?.[0]).toEqual({ uid: 1240, flags: ['\\Seen'] });
    expect(told.more).toBe(true);
  });

  it('of another folder, or of one that was made again, is not good for this one', async () => {
    const { act, earlier, next } = await reader(dialect, 2);
    const since = await earlier();
    await act('CREATE Other');
    const { changes } = await next();
    expect(await changes(since, {}, 'Other')).toMatchObject({
      complete: false,
      reset: true,
      unknown: ['added', 'changed', 'removed'],
      total: 0,
    });
    const other = await changes(since, {}, 'Other');
    await act('DELETE Other', 'CREATE Other');
    expect((await changes(other.state, {}, 'Other')).reset).toBe(true);
    expect((await changes('x.1.2')).reset).toBe(true);
  });
});

describe('a server that answers a state from before with too much', () => {
  /** A folder whose server says that all uids there could be have vanished. */
  async function liar(folder: ScriptedFolder, vanished: string) {
    const visitor = await oddVisitor(folder, 'QRESYNC');
    const { client, session, server } = visitor;
    const { state = '' } = (await client.call('message.list', { session, mailbox: 'INBOX' })) as { state?: string };
    const fetch = server.on['UID FETCH'];
    server.on['UID FETCH'] = (command, connection) => {
      if (/VANISHED/.test(command.args)) connection.send(`* VANISHED (EARLIER) ${vanished}`);
      return fetch?.(command, connection);
    };
    // As if another broker had answered it.
    const since = state.replace(/^[0-9a-z]+/, 'another');
    const changes = (params: Params = {}) =>
      client.call('mailbox.changes', { session, mailbox: 'INBOX', since, ...params });
    return { ...visitor, changes };
  }

  it.each(['1:4294967295', '4294967295:1', Array.from({ length: 60_000 }, (_, at) => 2 * at + 1).join(',')])(
    'is taken at its word for no more than there is to know (%#)',
    async (vanished) => {
      const folder = new ScriptedFolder(30_000);
      folder.expunge(...Array.from({ length: 29_900 }, (_, at) => at + 101));
      const { changes } = await liar(folder, vanished);
      // Nothing is gone: it is not even asked.
      expect(await changes()).toMatchObject({ complete: true, removed: [] });
      folder.expunge(7, 9);
      expect(await changes()).toMatchObject({ complete: false, reset: false, unknown: ['removed'], removed: [] });
      expect(await changes({ uids: '5:8,99:100,50000' })).toMatchObject({ complete: true, removed: [7] });
    },
  );

  it('names messages that are there: they are not told as gone', async () => {
    const folder = new ScriptedFolder(10);
    const { changes } = await liar(folder, '1:4294967295');
    folder.expunge(7, 9);
    expect(await changes()).toMatchObject({ complete: true, removed: [7, 9] });
  });

  /** A visitor with a state of the first message alone, as if another broker had answered it. */
  async function ofFirst(folder: ScriptedFolder) {
    const { client, session } = await oddVisitor(folder, 'CONDSTORE');
    const { state } = await client.call('mailbox.changes', { session, mailbox: 'INBOX', since: 'x' });
    const [, tag, uidValidity] = state.split('.');
    const since = ['another', tag, uidValidity, 1, 1, 1, 2, 1].join('.');
    return (params: Params = {}) => client.call('mailbox.changes', { session, mailbox: 'INBOX', since, ...params });
  }

  it('has taken 3,000 messages since, of which one is gone', async () => {
    const folder = new ScriptedFolder(3_001);
    folder.expunge(2_000);
    const changes = await ofFirst(folder);
    expect(await changes()).toMatchObject({ unknown: [], total: 3_000, removed: [2_000] });
    expect(await changes({ uids: '1:1999,2001:3001' })).toMatchObject({ unknown: [], removed: [] });
  });

  it('has skipped all uids but the last: what is gone is told of what the caller has', async () => {
    const folder = new ScriptedFolder(1);
    folder.skip(4_294_967_288);
    folder.arrive();
    const changes = await ofFirst(folder);
    expect(await changes()).toMatchObject({ unknown: ['removed'], added: [4_294_967_290] });
    expect(await changes({ uids: '1:3,4294967290' })).toMatchObject({ unknown: [], removed: [2, 3] });
  });

  it('was restored from a backup: the state is not good any more', async () => {
    const folder = new ScriptedFolder(10);
    const { client, session } = await oddVisitor(folder, 'QRESYNC');
    const { state } = await client.call('mailbox.changes', { session, mailbox: 'INBOX', since: 'x' });
    const parts = state.split('.');
    const ahead = (at: number) => parts.map((part, index) => (index === at ? `${Number(part) + 1}` : part));
    const changes = (since: string[]) =>
      client.call('mailbox.changes', { session, mailbox: 'INBOX', since: ['another', ...since.slice(1)].join('.') });
    expect(await changes(ahead(6))).toMatchObject({ reset: true });
    expect(await changes(ahead(7))).toMatchObject({ reset: false, unknown: ['changed'] });
    expect(await changes(parts)).toMatchObject({ complete: true });
  });
});
