import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, ParamsIn } from '../../src/protocol/contract.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { message } from '../support/mail.js';
import { type ServedMail, serveMail } from '../support/running-broker.js';

type Kept = 'mailbox.list' | 'mailbox.status';
const questions = {
  'mailbox.list': { counts: true, facts: true },
  'mailbox.status': { mailboxes: ['INBOX', 'Missing'] },
} satisfies { [M in Kept]: Omit<ParamsIn<M>, 'session'> };
const methods = Object.keys(questions) as Kept[];

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])('ifState at a server that is %s', (name) => {
  let dialect: Dialect;
  let mail: ServedMail;
  beforeAll(async () => {
    dialect = await startDialect(name);
    mail = await serveMail(dialect.dovecot);
  });
  afterAll(() => mail.stop());

  async function visitor(method: Kept) {
    const user = dialect.dovecot.user('kept');
    const session = await mail.client.login(user);
    const ask = (options: { ifState?: string; maxAgeMs?: number } = {}) => {
      const params = { session, ...questions[method], ...options } as unknown as ParamsIn<Kept>;
      return mail.client.call(method, params) as Promise<Answer<Kept>>;
    };
    return { user, session, ask };
  }

  it.each(methods)('of %s answers that nothing has changed, until something has', async (method) => {
    const { user, session, ask } = await visitor(method);
    const { state, meta: _, ...first } = await ask();
    expect(state).toMatch(/^[0-9a-f]{40}$/);
    const same = await ask({ ifState: state });
    expect(same).toEqual({ unchanged: true, state, meta: { source: 'server', asOf: expect.any(String) } });
    expect(await ask({ ifState: 'another' })).toMatchObject({ ...first, state });
    await dialect.dovecot.deliver(user, 'INBOX', [message()]);
    const changed = await ask({ ifState: state });
    expect(changed).not.toHaveProperty('unchanged');
    expect(changed.state).not.toBe(state);
    expect(await ask({ ifState: changed.state })).toMatchObject({ unchanged: true });
    const { statuses } = await mail.client.call('mailbox.status', { session, mailboxes: ['INBOX'] });
    const folder = { mailbox: 'INBOX', uidValidity: statuses[0]?.counts?.uidValidity ?? 0 };
    await mail.client.call('message.flag', { session, ...folder, uids: [1], action: 'add', flags: ['\\Seen'] });
    expect(await ask({ ifState: changed.state })).not.toHaveProperty('unchanged');
  });

  it.each(methods)('of %s may be answered from memory', async (method) => {
    const { session, ask } = await visitor(method);
    const { state } = await ask({ maxAgeMs: 60_000 });
    expect(await ask({ ifState: state, maxAgeMs: 60_000 })).toMatchObject({
      unchanged: true,
      meta: { source: 'cache' },
    });
    expect(await ask({ ifState: 'another', maxAgeMs: 60_000 })).toMatchObject({ state, meta: { source: 'cache' } });
    await mail.client.call('mailbox.create', { session, mailbox: 'Made' });
    expect(await ask({ ifState: state, maxAgeMs: 60_000 })).toMatchObject({ meta: { source: 'server' } });
  });

  it.each(methods)('of %s shares one read with requests that have kept nothing', async (method) => {
    const { ask } = await visitor(method);
    const { state } = await ask();
    const asked = await Promise.all([
      ask(),
      ask({ ifState: state }),
      ask({ ifState: 'another' }),
      ask({ ifState: state }),
    ]);
    expect(asked.map((answer) => 'unchanged' in answer)).toEqual([false, true, false, true]);
    expect(asked.filter(({ meta }) => meta.source === 'coalesced').length).toBeGreaterThan(0);
    expect(new Set(asked.map((answer) => answer.state))).toEqual(new Set([state]));
  });

  it('of mailbox.list stands for all that the list says', async () => {
    const { session, ask } = await visitor('mailbox.list');
    let { state } = await ask();
    const change = async (method: 'mailbox.create' | 'mailbox.unsubscribe' | 'mailbox.delete', mailbox: string) => {
      await mail.client.call(method, { session, mailbox });
      const now = await ask({ ifState: state });
      expect(now).not.toHaveProperty('unchanged');
      state = now.state;
      expect(await ask({ ifState: state })).toMatchObject({ unchanged: true });
    };
    await change('mailbox.create', 'Made');
    await change('mailbox.unsubscribe', 'Made');
    await change('mailbox.delete', 'Made');
  });
});
