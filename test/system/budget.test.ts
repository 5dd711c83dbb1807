import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { type AnsweredError, RawClient, runBroker, TOKEN } from '../support/running-broker.js';

const REQUESTS = 500;
const OPERATOR = 'operator-token';

async function visit(maxUserIpConnections: number, connectionsPerAccount: number, loginsPerSecond = 1000) {
  const dovecot = await Dovecot.start({ maxUserIpConnections });
  const queuePerAccount = REQUESTS;
  const servers = [dovecot.server({ loginsPerSecond })];
  const tenants = [
    tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
    tenantWith({ name: 'operator', tokenHashes: [hashToken(OPERATOR)], scopes: ['admin'] }),
  ];
  const broker = await runBroker(dovecot, { tenants, servers, pool: { connectionsPerAccount, queuePerAccount } });
  const client = await RawClient.open(broker.url);
  const user = newUser('busy');
  const session = await client.login(user);
  return {
    dovecot,
    url: broker.url,
    user,
    client,
    session,
    stop: async () => {
      await client.close();
      await broker.stop();
      await dovecot.stop();
    },
  };
}

type Visit = Awaited<ReturnType<typeof visit>>;

/** So many requests, as many at once as a socket may have. */
async function storm({ client, session }: Visit): Promise<unknown[]> {
  const failures: unknown[] = [];
  let left = REQUESTS;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      // Each is another request: the same ones would share an answer.
      const filter = { subject: `number ${left}` };
      await client.call('message.search', { session, mailboxes: ['INBOX'], filter }).catch((error: AnsweredError) => {
        failures.push({ message: error.message, data: error.data });
      });
    }
  };
  await Promise.all(Array.from({ length: 200 }, worker));
  return failures;
}

/**
 * Opens three connections of the user by another client, and none of the broker's is left. Dovecot counts a login a
 * moment after it let it in. So one that the broker has just made is neither counted nor ended at first, and is ended
 * once it is counted; where it comes beside the three, all end, and it begins anew.
 */
async function takeAll({ dovecot, user }: Visit, held: () => Promise<number>) {
  for (let tries = 0; tries < 5; tries += 1) {
    const left = async () => {
      const count = await held();
      // There may be none any more, which doveadm calls a failure.
      if (count > 0) await dovecot.kick(user).catch(() => {});
      return count;
    };
    await expect.poll(left).toBe(0);
    const others = await Promise.all([1, 2, 3].map(() => dovecot.client(user)));
    await expect.poll(held).toBeGreaterThanOrEqual(3);
    if ((await held()) === 3) return others;
    await Promise.all(others.map((one) => one.logout()));
  }
  throw new Error('The broker holds a connection beside those of the other client, five times in a row.');
}

describe(`${REQUESTS} requests of a user who may have more connections here than at the server`, () => {
  let usual: Visit;
  let poor: Visit;
  beforeAll(async () => {
    usual = await visit(10, 15);
    // One after the other: Dovecot does not count logins that are under way at once.
    poor = await visit(3, 15, 2);
  });
  afterAll(async () => {
    await usual.stop();
    await poor.stop();
  });

  it('all succeed at a Dovecot with its usual limit of 10, and leave two for the user', async () => {
    expect(await storm(usual)).toEqual([]);
    const { limits } = await usual.client.call('session.info', { session: usual.session });
    expect(limits.connections).toBe(8);
    expect((await usual.dovecot.who()).get(usual.user)).toBeLessThanOrEqual(8);
    expect(await usual.dovecot.log()).not.toContain('Maximum number of connections');
  }, 60_000);

  it('all succeed at one that allows fewer than was thought, which is learned', async () => {
    expect(await storm(poor)).toEqual([]);
    const { client, session } = poor;
    const budget = async () => (await client.call('session.info', { session })).limits.connections;
    await expect.poll(budget).toBeLessThan(8);
    // More than three slip through where Dovecot has not counted the last ones yet: what it let in is what is learned.
    const excess = async () => ((await poor.dovecot.who()).get(poor.user) ?? 0) - (await budget());
    await expect.poll(excess).toBe(0);
    expect(await budget()).toBeGreaterThanOrEqual(3);
    const operator = await RawClient.open(poor.url, OPERATOR);
    const { accounts } = await operator.call('account.list', {});
    expect(accounts).toMatchObject([{ tenant: 'webmail', server: 'dovecot', user: poor.user, budget: await budget() }]);
    const { servers } = await operator.call('server.list', {});
    expect(servers).toEqual([
      {
        ...{ name: 'dovecot', state: 'reachable', failures: 0, retryAfterMs: 0, connections: expect.any(Number) },
        ...{ connectionLimit: 500, learnedLimit: null, accounts: 1, reduced: 1, waiting: 0 },
      },
    ]);
    await operator.close();
    expect(await poor.dovecot.log()).toContain('Maximum number of connections');
  }, 60_000);

  it('wait for a connection while others hold all that the user may have', async () => {
    const { session } = poor;
    const held = async () => (await poor.dovecot.who()).get(poor.user) ?? 0;
    const others = await takeAll(poor, held);
    const refusals = async () => (await poor.dovecot.log()).split('Maximum number of connections').length;
    const before = await refusals();
    let answered = false;
    const waiting = poor.client.call('message.list', { session, mailbox: 'INBOX' });
    const noted = waiting.finally(() => {
      answered = true;
    });
    await expect.poll(refusals).toBeGreaterThan(before);
    expect(answered).toBe(false);
    await Promise.all(others.map((one) => one.logout()));
    await noted;
    expect((await waiting).messages).toEqual([]);
  }, 60_000);
});
