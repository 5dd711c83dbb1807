import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParamsIn } from '../../../src/protocol/contract.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

const id = (number: number) => `<c${number}@conversations>`;

/** Mail number `n`, sent at minute `at`, that answers others. */
function mail(n: number, references: number[] = [], at = n, subject = `Subject ${n}`): Buffer {
  return message({
    subject,
    messageId: id(n),
    date: new Date(Date.UTC(2024, 0, 1, 0, at)),
    ...(references.length > 0 ? { references: references.map(id) } : {}),
  });
}

const dateOf = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString();

describe.each<DialectName>(['full', 'without QRESYNC', 'without CONDSTORE', 'bare'])('conversations: %s', (name) => {
  let dialect: Dialect;
  let served: ServedMail;
  beforeAll(async () => {
    dialect = await startDialect(name);
    served = await serveMail(dialect.dovecot);
  });
  afterAll(() => served.stop());

  async function visitor(mails: Buffer[]) {
    const user = dialect.dovecot.user('conversations');
    await dialect.dovecot.deliver(user, 'INBOX', mails);
    const session = await served.client.login(user);
    const ask = (params: Omit<ParamsIn<'message.threads'>, 'session' | 'mailbox'> = {}) =>
      served.client.call('message.threads', { session, mailbox: 'INBOX', explain: true, ...params });
    const shown = async (params: Parameters<typeof ask>[0] = {}) =>
      (await ask(params)).threads.map(({ tree, messages, count, unseen }) => ({
        root: tree.uid,
        uids: messages.map(({ uid }) => uid),
        count,
        unseen,
      }));
    return { user, session, ask, shown };
  }

  it('have rows, oldest first, how many are unseen, and the latest date', async () => {
    const { user, session, ask } = await visitor([mail(1), mail(2), mail(3, [1]), mail(4, [1, 3])]);
    await served.client.call('message.flag', {
      session,
      mailbox: 'INBOX',
      uidValidity: (await ask({ limit: 1 })).uidValidity,
      uids: [3],
      action: 'add',
      flags: ['\\Seen'],
    });
    const { threads, total, nextOffset, nextCursor } = await ask();
    expect([total, nextOffset, nextCursor]).toEqual([2, null, null]);
    const [first, second] = threads;
    expect(first).toMatchObject({ count: 3, unseen: 2, newest: dateOf(4), more: false });
    expect(first?.tree).toEqual({ uid: 1, replies: [{ uid: 3, replies: [{ uid: 4, replies: [] }] }] });
    expect(first?.messages.map(({ uid, envelope, flags }) => [uid, envelope?.messageId, flags])).toEqual([
      [1, id(1), []],
      [3, id(3), ['\\Seen']],
      [4, id(4), []],
    ]);
    expect(second).toMatchObject({ tree: { uid: 2, replies: [] }, count: 1, unseen: 1, newest: dateOf(2) });
    // The rows are those of message.list.
    const list = await served.client.call('message.list', { session, mailbox: 'INBOX' });
    const byUid = new Map(threads.flatMap(({ messages }) => messages).map((row) => [row.uid, row]));
    expect(list.messages).toEqual(list.messages.map(({ uid }) => byUid.get(uid)));
    expect(user).toContain('conversations');
  });

  it('are in the order of their latest date, whatever their uids', async () => {
    const { shown } = await visitor([mail(1, [], 50), mail(2, [], 40), mail(3, [2], 10), mail(4, [], 45)]);
    expect((await shown()).map(({ root }) => root)).toEqual([1, 4, 2]);
    expect((await shown({ sort: 'oldest' })).map(({ root }) => root)).toEqual([2, 4, 1]);
    expect((await shown()).at(-1)).toEqual({ root: 2, uids: [3, 2], count: 2, unseen: 2 });
  });

  it('have no rows where none are asked for, and count all the same', async () => {
    const { shown, ask } = await visitor([mail(1), mail(2, [1])]);
    expect(await shown({ fields: [] })).toEqual([{ root: 1, uids: [], count: 2, unseen: 2 }]);
    expect((await ask({ fields: [] })).threads[0]).toMatchObject({ newest: dateOf(2), more: false });
    expect(await shown({ fields: ['size'] })).toEqual([{ root: 1, uids: [1, 2], count: 2, unseen: 2 }]);
  });

  it('cost one barrier when asked for again, and never show old flags or messages', async () => {
    const { user, session, ask, shown } = await visitor([mail(1), mail(2, [1])]);
    await ask();
    const again = await ask();
    expect(again.meta.source).toBe('validated');
    expect(again.explain?.commands.filter((command) => command !== 'STATUS')).toEqual(['NOOP']);
    expect((await ask({ limit: 1 })).explain?.commands.filter((command) => command !== 'STATUS')).toEqual(['NOOP']);
    const other = await dialect.dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('1', ['\\Seen'], { uid: true });
    expect(await shown()).toEqual([{ root: 1, uids: [1, 2], count: 2, unseen: 1 }]);
    await dialect.dovecot.deliver(user, 'INBOX', [mail(3, [1]), mail(4)]);
    expect(await shown()).toEqual([
      { root: 4, uids: [4], count: 1, unseen: 1 },
      { root: 1, uids: [1, 2, 3], count: 3, unseen: 2 },
    ]);
    await other.messageDelete('2', { uid: true });
    expect(await shown()).toEqual([
      { root: 4, uids: [4], count: 1, unseen: 1 },
      { root: 1, uids: [1, 3], count: 2, unseen: 1 },
    ]);
    await other.messageFlagsRemove('1', ['\\Seen'], { uid: true });
    await other.logout();
    await dialect.dovecot.kick(user);
    expect((await shown())[1]).toEqual({ root: 1, uids: [1, 3], count: 2, unseen: 2 });
    expect(session).not.toBe('');
  });

  it('are told to be unchanged, until anything in the folder changes', async () => {
    const { user, ask } = await visitor([mail(1), mail(2, [1])]);
    const { state } = await ask();
    const same = (await ask({ ifState: state })) as unknown as { unchanged?: boolean; state: string };
    expect(same).toMatchObject({ unchanged: true, state });
    const other = await dialect.dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('2', ['\\Seen'], { uid: true });
    const changed = await ask({ ifState: state });
    expect(changed.threads[0]).toMatchObject({ count: 2, unseen: 1 });
    await other.messageDelete('1', { uid: true });
    await other.logout();
    expect((await ask({ ifState: changed.state })).threads[0]).toMatchObject({ count: 1, unseen: 0 });
  });

  it('are of what the filter finds, or whole where it finds one of their messages', async () => {
    const mails = [mail(1), mail(2, [1], 2, 'Re: invoice'), mail(3, [1, 2]), mail(4, [], 4, 'invoice 7'), mail(5)];
    const { user, shown } = await visitor(mails);
    const filter = { subject: 'invoice' };
    expect((await shown({ filter })).map(({ uids }) => uids)).toEqual([[4], [2]]);
    expect((await shown({ filter, whole: true })).map(({ uids }) => uids)).toEqual([[4], [1, 2, 3]]);
    expect((await shown({ whole: true })).map(({ uids }) => uids)).toEqual([[5], [4], [1, 2, 3]]);
    expect(await shown({ filter: { subject: 'nothing like it' } })).toEqual([]);
    const unseen = { filter: { seen: false }, whole: true };
    expect(await shown(unseen)).toHaveLength(3);
    const other = await dialect.dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('1:3,5', ['\\Seen'], { uid: true });
    expect(await shown(unseen)).toEqual([{ root: 4, uids: [4], count: 1, unseen: 1 }]);
    await other.messageFlagsRemove('3', ['\\Seen'], { uid: true });
    await other.logout();
    expect(await shown(unseen)).toEqual([
      { root: 4, uids: [4], count: 1, unseen: 1 },
      { root: 1, uids: [1, 2, 3], count: 3, unseen: 1 },
    ]);
    expect((await shown({ filter: { seen: false } })).map(({ uids }) => uids)).toEqual([[4], [3]]);
    expect(await shown({ filter: { subject: 'süß' } })).toEqual([]);
  });

  it('go on behind the last one of a page, whatever comes meanwhile', async () => {
    const { user, ask } = await visitor([1, 2, 3, 4, 5].map((n) => mail(n)));
    const first = await ask({ limit: 2 });
    expect(first.threads.map(({ tree }) => tree.uid)).toEqual([5, 4]);
    await dialect.dovecot.deliver(user, 'INBOX', [mail(6, [4]), mail(7)]);
    const second = await ask({ limit: 2, cursor: first.nextCursor ?? '' });
    expect(second.threads.map(({ tree }) => tree.uid)).toEqual([3, 2]);
    expect((await ask({ limit: 2, offset: second.nextOffset ?? 0 })).threads.map(({ tree }) => tree.uid)).toEqual([1]);
    const last = await ask({ limit: 2, cursor: second.nextCursor ?? '' });
    expect([last.threads.map(({ tree }) => tree.uid), last.nextCursor, last.total]).toEqual([[1], null, 6]);
    const back = await ask({ limit: 2, sort: 'oldest' });
    const next = await ask({ limit: 2, sort: 'oldest', cursor: back.nextCursor ?? '' });
    expect([...back.threads, ...next.threads].map(({ tree }) => tree.uid)).toEqual([1, 2, 3, 5]);
    await expect(ask({ cursor: first.nextCursor ?? '', filter: { seen: true } })).rejects.toMatchObject({
      data: { kind: 'INVALID_PARAMS' },
    });
    await expect(ask({ cursor: first.nextCursor ?? '', offset: 2 })).rejects.toMatchObject({
      data: { kind: 'INVALID_PARAMS' },
    });
  });

  it('are none in an empty folder, and those of another folder are not told of', async () => {
    const { ask } = await visitor([]);
    const { threads, total, nextOffset, uidValidity } = await ask();
    expect([threads, total, nextOffset]).toEqual([[], 0, null]);
    await expect(ask({ uidValidity: uidValidity + 1 })).rejects.toMatchObject({ data: { kind: 'STATE_CHANGED' } });
  });

  it('have the newest 100 rows of a long one, and count all of it', async () => {
    const { ask } = await visitor([mail(1), ...Array.from({ length: 130 }, (_, n) => mail(n + 2, [1], 1 + n / 60))]);
    const [long] = (await ask()).threads;
    expect(long).toMatchObject({ count: 131, unseen: 131, more: true });
    expect(long?.messages.map(({ uid }) => uid)).toEqual(Array.from({ length: 100 }, (_, n) => n + 32));
  });
});
