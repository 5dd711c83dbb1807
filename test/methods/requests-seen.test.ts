import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { newUser } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { RawClient, TOKEN } from '../support/running-broker.js';

const user = newUser('anna');
const account = { tenant: 'webmail', server: 'dovecot', user };
let broker: OperatedBroker;
let operator: RawClient;
let session: string;

beforeAll(async () => {
  broker = await OperatedBroker.start(() => ({
    checkResults: true,
    pool: { connectionsPerAccount: 1 },
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'operators', tokenHashes: [hashToken('operator')], scopes: ['admin'] }),
    ],
  }));
  operator = await RawClient.open(broker.broker.url, 'operator');
  session = await broker.client.login(user);
});
afterAll(async () => {
  await operator.close();
  await broker.stop();
});

describe('request.slowest', () => {
  it('tells whose requests took long, how they ended and where their answers came from, and none of operators', async () => {
    await broker.client.call('mailbox.list', { session });
    await broker.client.request('mailbox.list', { session: 'none' }).answer.catch(() => {});
    await broker.client.request('no.such', {}).answer.catch(() => {});
    await operator.request('server.probe', { server: 'dovecot' }).answer;
    const { requests } = await operator.call('request.slowest', {});
    expect(requests).toContainEqual({
      ...account,
      answeredAt: expect.stringMatching(/^\d{4}-.*Z$/),
      method: 'mailbox.list',
      ms: expect.any(Number),
      outcome: 'ok',
      source: 'server',
    });
    const nobody = { tenant: 'webmail', server: null, user: null };
    expect(requests).toContainEqual(expect.objectContaining({ ...nobody, outcome: 'SESSION_EXPIRED' }));
    expect(requests).toContainEqual(expect.objectContaining({ ...nobody, method: 'unknown' }));
    expect(requests.map(({ ms }) => ms)).toEqual(requests.map(({ ms }) => ms).sort((a, b) => b - a));
    expect(requests.filter(({ tenant }) => tenant === 'operators')).toEqual([]);
    const { latencyMs } = (await operator.call('broker.status', {})).requests;
    expect(latencyMs?.p99).toBeGreaterThanOrEqual(requests[0]?.ms ?? Number.POSITIVE_INFINITY);
  });
});

describe('request.waiting', () => {
  it('tells what waits for a connection of an account, the longest waiting first', async () => {
    const { release, ended } = await broker.work(user);
    const asked = [
      broker.client.request('mailbox.list', { session }),
      broker.client.request('mailbox.status', { session, mailboxes: ['INBOX'] }),
    ];
    const waiting = async () => (await operator.call('request.waiting', account)).requests;
    const wait = { lane: 'interactive', waitedMs: expect.any(Number) };
    const both = [
      { method: 'mailbox.list', ...wait },
      { method: 'mailbox.status', ...wait },
    ];
    await expect.poll(waiting).toEqual(both);
    release();
    await Promise.all([ended, ...asked.map(({ answer }) => answer)]);
    expect(await operator.call('request.waiting', account)).toEqual({ requests: [], total: 0 });
  });

  it('answers NOT_FOUND for who is not there', async () => {
    for (const other of [{ user: 'nobody' }, { server: 'none' }, { tenant: 'none' }]) {
      await expect(operator.call('request.waiting', { ...account, ...other })).rejects.toMatchObject({
        data: { kind: 'NOT_FOUND' },
      });
    }
  });

  it.each(['request.waiting', 'request.slowest'])('as %s is for operators alone', async (method) => {
    const params = method === 'request.waiting' ? account : {};
    const asked = broker.client.request(method, params).answer;
    await expect(asked).rejects.toMatchObject({ data: { kind: 'FORBIDDEN' } });
  });
});
