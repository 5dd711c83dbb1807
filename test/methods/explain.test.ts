import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/protocol/models.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { type ServedMail, serveMail } from '../support/running-broker.js';

let mail: ServedMail;
beforeAll(async () => {
  mail = await serveMail(await Dovecot.start());
});
afterAll(() => mail.stop());

async function visitor(messages = 1): Promise<{ user: string; session: string }> {
  const user = newUser('explain');
  await mail.dovecot.deliver(
    user,
    'INBOX',
    Array.from({ length: messages }, () => message()),
  );
  return { user, session: await mail.client.login(user) };
}

function plausible(explain: Explanation | undefined): Explanation {
  if (!explain) throw new Error('not explained');
  const { totalMs, queueMs, connectMs, selectMs, commandMs } = explain;
  for (const ms of [queueMs, connectMs, selectMs, commandMs]) expect(ms).toBeGreaterThanOrEqual(0);
  expect(connectMs).toBeLessThanOrEqual(queueMs);
  expect(queueMs + selectMs + commandMs).toBeLessThanOrEqual(totalMs + 1);
  return explain;
}

describe('explain', () => {
  it('tells the commands of a request, its bytes, and on which connection it was done', async () => {
    const { session } = await visitor();
    const first = await mail.client.call('message.list', { session, mailbox: 'INBOX', explain: true });
    const selecting = plausible(first.explain);
    expect(selecting).toMatchObject({ attempts: 1, connection: expect.stringMatching(/^dovecot-\d+$/) });
    expect(selecting.commands[0]).toMatch(/^(SELECT|EXAMINE)$/);
    expect(selecting.commands).toContain('FETCH');
    expect(selecting.selectMs).toBeGreaterThan(0);
    expect(selecting.commandMs).toBeGreaterThan(0);
    expect(selecting.sentBytes).toBeGreaterThan(20);
    expect(selecting.receivedBytes).toBeGreaterThan(selecting.sentBytes);
    const again = plausible(
      (await mail.client.call('message.list', { session, mailbox: 'INBOX', explain: true })).explain,
    );
    expect(again.commands[0]).toBe('NOOP');
    expect([again.selectMs, again.connection]).toEqual([0, selecting.connection]);
  });

  it('counts the round trips to the server: one for commands that are sent in one packet', async () => {
    const { session } = await visitor();
    const { client } = mail;
    const listed = await client.call('message.list', { session, mailbox: 'INBOX', explain: true });
    expect(listed.explain?.roundTrips).toBe(listed.explain?.commands.length);
    const [row] = listed.messages;
    const folder = { session, mailbox: 'INBOX', uidValidity: listed.uidValidity, explain: true };
    const opened = await client.call('message.get', { ...folder, uids: [row?.uid ?? 0] });
    expect(opened.explain).toMatchObject({ commands: ['NOOP', 'UID FETCH'], roundTrips: 1 });
    const kept = await client.call('message.list', { ...folder, maxAgeMs: 60_000 });
    expect(kept.explain).toMatchObject({ commands: [], roundTrips: 0 });
  });

  it('tells of the login that a request waited for', async () => {
    const { user, session } = await visitor();
    await mail.dovecot.kick(user);
    const account = [...mail.broker.registry.stats].find(([key]) => key.includes(user))?.[0] ?? '';
    await expect.poll(() => mail.broker.registry.stats.get(account)?.idle).toBe(0);
    const { explain } = await mail.client.call('quota.get', { session, explain: true });
    expect(plausible(explain).connectMs).toBeGreaterThan(0);
    const again = await mail.client.call('quota.get', { session, explain: true });
    expect(again.explain?.connectMs).toBe(0);
  });

  it('is in an answer that was shared, of the work that was done for all', async () => {
    const { session } = await visitor(20);
    const params = { session, mailbox: 'INBOX', explain: true };
    const answers = await Promise.all(Array.from({ length: 10 }, () => mail.client.call('message.list', params)));
    const shared = answers.filter(({ meta }) => meta.source === 'coalesced');
    expect(shared.length).toBeGreaterThan(0);
    for (const { explain } of shared) expect(plausible(explain)).toMatchObject({ attempts: 1 });
    for (const { messages } of answers) expect(messages).toHaveLength(20);
  });

  it('is in the answer of a write and of a download, and says zero where nothing was asked', async () => {
    const { session } = await visitor();
    const data = message().toString('base64');
    const append = { session, mailbox: 'INBOX', data, idempotencyKey: 'k', explain: true };
    const written = await mail.client.call('message.append', append);
    expect(plausible(written.explain).commands).toContain('APPEND');
    const repeated = await mail.client.call('message.append', append);
    expect(repeated).toMatchObject({ uid: written.uid, explain: { attempts: 0, connection: null, commands: [] } });
    const { uidValidity } = await mail.client.call('message.list', { session, mailbox: 'INBOX' });
    const source = { session, mailbox: 'INBOX', uidValidity: uidValidity ?? 0, uid: 1, explain: true };
    const inline = await mail.client.call('message.source', { ...source, transfer: 'inline' });
    expect(plausible(inline.explain).commands).toContain('UID FETCH');
    expect((await mail.client.call('message.source', source)).explain).toMatchObject({ attempts: 1 });
  });
});
