import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { RawClient, runBroker } from '../support/running-broker.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let client: RawClient;
beforeAll(async () => {
  dovecot = await Dovecot.start({ settings: 'login_trusted_networks = 127.0.0.0/8' });
  broker = await runBroker(dovecot);
  client = await RawClient.open(broker.url);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
});

describe('the address of whom a session is for', () => {
  it.each(['198.51.100.7', '2001:db8::7'])('reaches a server that trusts the broker: %s', async (clientIp) => {
    const user = newUser();
    await client.call('session.open', { server: 'dovecot', user, auth: { password: PASSWORD }, clientIp });
    await expect.poll(() => dovecot.log()).toMatch(new RegExp(`Login: user=<${user}>.* rip=${clientIp}`));
    const wrong = { server: 'dovecot', user: newUser(), auth: { password: 'wrong' }, clientIp };
    await expect(client.call('session.open', wrong)).rejects.toMatchObject({ data: { kind: 'IMAP_AUTH_FAILED' } });
    await expect.poll(() => dovecot.log()).toMatch(new RegExp(`auth failed.*user=<${wrong.user}>.* rip=${clientIp}`));
  });

  it.each(['1.2.3', '1.2.3.4\r\nA LOGOUT', 'localhost', ''])('has to be one: %j', async (clientIp) => {
    const params = { server: 'dovecot', user: newUser(), auth: { password: PASSWORD }, clientIp };
    await expect(client.call('session.open', params)).rejects.toMatchObject({
      data: { kind: 'INVALID_PARAMS', field: 'clientIp' },
    });
  });
});
