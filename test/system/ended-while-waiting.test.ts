import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { accountKey } from '../../src/runtime/account-key.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { type ScriptedCommand, type ScriptedConnection, startScriptedServer } from '../support/scripted-server.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
}, 60_000);
afterAll(() => dovecot.stop());

const tenants = [tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)], scopes: ['user', 'admin'] })];
const expired = { data: { kind: 'SESSION_EXPIRED', executed: 'no' } };

describe('a session that ends while its work waits', () => {
  it.each(['session.close', 'session.kick'])(
    'by %s: the work is not begun, that of another session is',
    async (how) => {
      const broker = await runBroker(dovecot, { tenants, pool: { connectionsPerAccount: 1 } });
      const client = await RawClient.open(broker.url);
      onTestFinished(async () => {
        await client.close();
        await broker.stop();
      });
      const user = newUser('waits');
      const ended = await client.login(user);
      const { sessions } = await client.call('session.list', {});
      const other = await client.login(user);
      const account = broker.registry.get(accountKey({ tenant: 'webmail', server: { name: 'dovecot' }, user }));
      let release = () => {};
      const job = {
        label: 'test',
        effect: 'read' as const,
        signal: new AbortController().signal,
        deadlineAt: Infinity,
      };
      await new Promise<void>((begun) => {
        void account?.run(job, async () => {
          begun();
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        });
      });
      const made = ['Ended', 'Other'].map((mailbox, index) =>
        client.request('mailbox.create', { session: [ended, other][index], mailbox }),
      );
      const read = client.request('mailbox.status', { session: ended, mailboxes: ['INBOX'] });
      await expect.poll(() => account?.waiting.length).toBe(3);
      if (how === 'session.close') await client.call('session.close', { session: ended });
      else await client.call('session.kick', { id: sessions[0]?.id ?? '' });
      release();
      await expect(made[0]?.answer).rejects.toMatchObject(expired);
      await expect(read.answer).rejects.toMatchObject(expired);
      await made[1]?.answer;
      const { mailboxes } = await client.call('mailbox.list', { session: other });
      expect(mailboxes.map(({ name }) => name)).toEqual(expect.arrayContaining(['INBOX', 'Other']));
      expect(mailboxes.map(({ name }) => name)).not.toContain('Ended');
    },
  );
});

describe('a session.refresh that is under way', () => {
  it('does not survive a revocation, and leaves no connection', async () => {
    let hold = false;
    let held: (() => void) | undefined;
    const scripted = await startScriptedServer({
      capabilities: 'IMAP4rev1 SASL-IR AUTH=XOAUTH2 ID NAMESPACE IDLE UIDPLUS',
      on: {
        AUTHENTICATE: (command: ScriptedCommand, connection: ScriptedConnection) => {
          if (!hold) return scripted.answer(command, connection);
          held = () => void scripted.answer(command, connection);
        },
      },
    });
    const broker = await runBroker(dovecot, { tenants, servers: [scripted.server()] });
    const client = await RawClient.open(broker.url);
    onTestFinished(async () => {
      await client.close();
      await broker.stop();
      await scripted.close();
    });
    const who = { server: 'scripted', user: 'anna' };
    const { session } = await client.call('session.open', { ...who, auth: { accessToken: 'first' } });
    hold = true;
    const refreshing = client.request('session.refresh', { session, auth: { accessToken: 'second' } });
    await expect.poll(() => held).toBeDefined();
    expect(await client.call('session.revoke', { tenant: 'webmail', user: 'anna' })).toMatchObject({ accounts: 1 });
    held?.();
    await expect(refreshing.answer).rejects.toMatchObject({ data: { kind: 'SESSION_EXPIRED' } });
    await expect.poll(() => scripted.connections.size).toBe(0);
    expect(broker.registry.stats.size).toBe(0);
    await expect(client.call('session.info', { session })).rejects.toMatchObject(expired);
  });
});
