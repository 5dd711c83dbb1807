import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { OTHER_TOKEN, RawClient, runBroker, TOKEN } from '../support/running-broker.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let webmail: RawClient;
let helpdesk: RawClient;
beforeAll(async () => {
  dovecot = await Dovecot.start({ authFailureDelaySeconds: 0 });
  const scopes = ['admin' as const];
  const operator = tenantWith({ name: 'operator', tokenHashes: [hashToken('operator-token')], scopes });
  const tenants = [
    tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
    tenantWith({ name: 'helpdesk', tokenHashes: [hashToken(OTHER_TOKEN)] }),
    operator,
  ];
  broker = await runBroker(dovecot, { tenants });
  webmail = await RawClient.open(broker.url, TOKEN);
  helpdesk = await RawClient.open(broker.url, OTHER_TOKEN);
});
afterAll(async () => {
  await webmail.close();
  await helpdesk.close();
  await broker.stop();
  await dovecot.stop();
});

const inbox = (session: string) => ({ session, mailbox: 'INBOX' });
const refusedLogins = async () => (await dovecot.log()).match(/auth failed, 1 attempts/g)?.length ?? 0;

describe('two applications with the same user at the same server', () => {
  it('have connections of their own, and the end of one leaves the other alone', async () => {
    const user = newUser();
    const [a, b] = [await webmail.login(user), await helpdesk.login(user)];
    expect(broker.registry.stats.size).toBe(2);
    await expect.poll(() => dovecot.logins(user)).toBe(2);
    await webmail.call('session.close', { session: a });
    await expect.poll(async () => (await dovecot.who()).get(user)).toBe(1);
    expect((await helpdesk.call('message.list', inbox(b))).messages).toEqual([]);
    expect(await dovecot.logins(user)).toBe(2);
    await helpdesk.call('session.close', { session: b });
  });

  it('cannot use, renew or end each other’s sessions', async () => {
    const user = newUser();
    const session = await webmail.login(user);
    await dovecot.deliver(user, 'INBOX', message({ subject: 'Private' }));
    const attempts = [
      helpdesk.call('message.list', inbox(session)),
      helpdesk.call('session.info', { session }),
      helpdesk.call('session.renew', { session }),
      helpdesk.call('session.close', { session }),
    ];
    for (const attempt of attempts) {
      await expect(attempt).rejects.toMatchObject({ data: { kind: 'SESSION_EXPIRED', executed: 'no' } });
    }
    expect((await webmail.call('message.list', inbox(session))).messages).toHaveLength(1);
  });

  it('each prove passwords on their own: what one knows tells the other nothing', async () => {
    const user = newUser();
    const params = { server: 'dovecot', user, auth: { password: 'wrong' } };
    const wrong = { data: { kind: 'IMAP_AUTH_FAILED' } };
    const before = await refusedLogins();
    await expect(webmail.call('session.open', params)).rejects.toMatchObject(wrong);
    await expect(webmail.call('session.open', params)).rejects.toMatchObject(wrong);
    await expect(helpdesk.call('session.open', params)).rejects.toMatchObject(wrong);
    await expect.poll(refusedLogins).toBe(before + 2);
    await webmail.login(user);
    const logins = await dovecot.logins(user);
    await helpdesk.call('session.open', { ...params, auth: { password: PASSWORD } });
    await expect.poll(() => dovecot.logins(user)).toBe(logins + 1);
  });

  it('have their sessions revoked by an operator, all or those of one user, and no other application can do that', async () => {
    const [anna, ben] = [newUser(), newUser()];
    const sessions = [await webmail.login(anna), await webmail.login(ben), await helpdesk.login(anna)];
    const [annas = '', bens = '', other = ''] = sessions;
    const revoke = { tenant: 'webmail', user: anna };
    await expect(webmail.call('session.revoke', revoke)).rejects.toMatchObject({ data: { kind: 'FORBIDDEN' } });
    const operator = await RawClient.open(broker.url, 'operator-token');
    await expect(operator.call('session.revoke', { tenant: 'nobody' })).rejects.toMatchObject({
      data: { kind: 'NOT_FOUND', field: 'tenant' },
    });
    expect(await operator.call('session.revoke', revoke)).toEqual({ accounts: 1, lasts: true, everywhere: null });
    const ended = { data: { kind: 'SESSION_EXPIRED' } };
    await expect(webmail.call('message.list', inbox(annas))).rejects.toMatchObject(ended);
    await expect.poll(async () => (await dovecot.who()).get(anna)).toBe(1);
    await webmail.call('message.list', inbox(bens));
    await operator.call('session.revoke', { tenant: 'webmail' });
    await expect(webmail.call('message.list', inbox(bens))).rejects.toMatchObject(ended);
    await helpdesk.call('message.list', inbox(other));
    // The user may come back.
    await webmail.call('message.list', inbox(await webmail.login(anna)));
    await operator.close();
  });
});
