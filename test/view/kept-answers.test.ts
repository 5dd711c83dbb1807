import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { shareRead } from '../../src/methods/support/shared.js';
import type { MethodName, ParamsIn } from '../../src/protocol/contract.js';
import { now } from '../../src/runtime/moment.js';
import { Views } from '../../src/view/views.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { handlerContext } from '../support/handler-context.js';
import { message } from '../support/mail.js';
import { OTHER_TOKEN, RawClient, runBroker, type ServedMail, serveMail } from '../support/running-broker.js';

const maxAgeMs = 60_000;

/** What is no view of a folder, and may be old all the same. */
const questions = {
  'mailbox.list': { counts: true },
  'mailbox.status': { mailboxes: ['INBOX', 'Sent'] },
  'quota.get': {},
  'message.search': { mailboxes: ['INBOX'], filter: { seen: false } },
} satisfies { [M in MethodName]?: Omit<ParamsIn<M>, 'session'> };
type Asked = keyof typeof questions;
const methods = Object.keys(questions) as Asked[];

describe.each<DialectName>(['full', 'bare'])('answers of a server that is %s', (name) => {
  let dialect: Dialect;
  let mail: ServedMail;
  beforeAll(async () => {
    dialect = await startDialect(name);
    mail = await serveMail(dialect.dovecot);
  });
  afterAll(() => mail.stop());

  /** A user with two messages, and what he is told: all that matters of it, from where, and how many commands it took. */
  async function visitor(method: Asked, url = mail.broker.url) {
    const { dovecot } = dialect;
    const user = dovecot.user('kept');
    await dovecot.deliver(user, 'INBOX', [message(), message()]);
    const caller = url === mail.broker.url ? mail.client : await RawClient.open(url);
    const login = () => caller.login(user);
    const session = await login();
    const ask = async (options: { maxAgeMs?: number; session?: string; limit?: number } = {}) => {
      const params = { session, explain: true, ...questions[method], ...options } as unknown as ParamsIn<Asked>;
      const { meta, explain, ...told } = await caller.call(method, params);
      return { told, meta, commands: explain?.commands ?? [] };
    };
    return { user, session, ask, login };
  }

  it.each(methods)('to %s may be asked for again without the server', async (method) => {
    const { ask, login } = await visitor(method);
    const first = await ask({ maxAgeMs });
    expect(first.meta.source).toBe('server');
    for (const session of [undefined, await login()]) {
      const again = await ask({ maxAgeMs, ...(session !== undefined && { session }) });
      expect(again).toEqual({ told: first.told, meta: { source: 'cache', asOf: first.meta.asOf }, commands: [] });
    }
    // Unless they must be true now.
    expect((await ask()).meta.source).toBe('server');
  });

  it.each(methods)('to %s are asked for anew behind a write', async (method) => {
    const { ask, session, login } = await visitor(method);
    await ask({ maxAgeMs });
    const { statuses } = await mail.client.call('mailbox.status', { session, mailboxes: ['INBOX'] });
    const folder = { mailbox: 'INBOX', uidValidity: statuses[0]?.counts?.uidValidity ?? 0 };
    const writer = await login();
    const writes = [
      () =>
        mail.client.call('message.flag', { session: writer, ...folder, uids: [1], action: 'add', flags: ['\\Seen'] }),
      () =>
        mail.client.call('message.append', { session: writer, mailbox: 'Sent', data: message().toString('base64') }),
      () => mail.client.call('mailbox.create', { session: writer, mailbox: 'New' }),
    ];
    await mail.client.call('mailbox.create', { session: writer, mailbox: 'Sent' });
    for (const write of writes) {
      await write();
      const next = await ask({ maxAgeMs });
      expect(next.meta.source).toBe('server');
      expect(next.told).toEqual((await ask()).told);
      expect((await ask({ maxAgeMs })).meta.source).toBe('cache');
    }
  });

  it('are never older than what the caller was told already', async () => {
    const { ask, user } = await visitor('mailbox.status');
    const before = await ask({ maxAgeMs });
    await dialect.dovecot.deliver(user, 'INBOX', [message()]);
    expect((await ask({ maxAgeMs })).told).toEqual(before.told);
    const now = await ask();
    expect(now.told).not.toEqual(before.told);
    expect(await ask({ maxAgeMs })).toMatchObject({ told: now.told, meta: { source: 'cache' } });
  });

  it('are for the same question alone, and for the same account', async () => {
    const { ask, user } = await visitor('message.search');
    await ask({ maxAgeMs });
    expect((await ask({ maxAgeMs, limit: 1 })).meta.source).toBe('server');
    const helpdesk = await RawClient.open(mail.broker.url, OTHER_TOKEN);
    onTestFinished(() => helpdesk.close());
    const session = await helpdesk.login(user);
    const { meta } = await helpdesk.call('message.search', { session, ...questions['message.search'], maxAgeMs });
    expect(meta.source).toBe('server');
  });

  it('are forgotten with the last session', async () => {
    const { ask, session, login } = await visitor('mailbox.list');
    await ask({ maxAgeMs });
    await mail.client.call('session.close', { session });
    expect((await ask({ maxAgeMs, session: await login() })).meta.source).toBe('server');
  });

  it('are not kept where they are larger than the configuration allows', async () => {
    const small = await runBroker(dialect.dovecot, { views: { bodyBytes: 100 } });
    onTestFinished(() => small.stop());
    const large = await visitor('message.search', small.url);
    await large.ask({ maxAgeMs });
    expect((await large.ask({ maxAgeMs })).meta.source).toBe('server');
    const { ask } = await visitor('quota.get', small.url);
    await ask({ maxAgeMs });
    expect((await ask({ maxAgeMs })).meta.source).toBe('cache');
  });
});

describe('an answer that is kept', () => {
  const ago = (ms: number) => ({ at: performance.now() - ms, date: Date.now() - ms });

  it('is for those whom it is young enough', () => {
    const views = new Views();
    views.keepAnswer('a', 'x', ago(10_000), () => '{}');
    expect(views.recallAnswer('a', 'x', 5_000)).toBeUndefined();
    expect(views.recallAnswer('a', 'x', 60_000)?.json).toBe('{}');
    expect(views.recallAnswer('b', 'x', 60_000)).toBeUndefined();
  });

  it('gives way to a younger one, never to an older one, and to nothing where that is too large', () => {
    const views = new Views({ bytes: 10_000, bodyBytes: 100 });
    views.keepAnswer('a', 'x', ago(10), () => '1');
    views.keepAnswer('a', 'x', ago(20), () => '0');
    expect(views.recallAnswer('a', 'x', 60_000)?.json).toBe('1');
    views.keepAnswer('a', 'x', ago(5), () => '2');
    expect(views.recallAnswer('a', 'x', 60_000)?.json).toBe('2');
    expect(views.bytes).toBeGreaterThan(0);
    views.keepAnswer('a', 'x', ago(1), () => 'x'.repeat(200));
    expect(views.recallAnswer('a', 'x', 60_000)).toBeUndefined();
    expect(views.bytes).toBe(0);
  });

  it('counts for nothing when something was written while it was asked for', async () => {
    const account = { key: 'test/server/user', run: () => Promise.reject(), slots: {} };
    const context = handlerContext('mailbox.list', {
      ...account,
      share: async (_key: string, _job: unknown, work: (...args: never[]) => Promise<unknown>) => ({
        value: await work(),
        coalesced: false,
      }),
    } as never);
    const ask = (write: boolean) =>
      shareRead(context, { maxAgeMs }, {}, async () => {
        if (write) context.services.views.wrote(account.key, 'INBOX');
        return { told: write };
      });
    const begun = now().date;
    expect(await ask(true)).toMatchObject({ told: true, meta: { source: 'server' } });
    expect(await ask(false)).toMatchObject({ told: false, meta: { source: 'server' } });
    const kept = await ask(true);
    expect(kept).toMatchObject({ told: false, meta: { source: 'cache' } });
    expect(Date.parse(kept.meta.asOf)).toBeGreaterThanOrEqual(begun);
  });
});
