import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BrokerOptions } from '../../src/broker/options.js';
import { accountKey } from '../../src/runtime/account-key.js';
import { builtProgram } from '../cli/built.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { ServedProgram } from '../support/served-program.js';

let dovecot: Dovecot;
beforeAll(async () => {
  builtProgram();
  dovecot = await Dovecot.start({ authFailureDelaySeconds: 0 });
}, 120_000);
afterAll(() => dovecot.stop());

const refused = { data: { kind: 'IMAP_AUTH_FAILED', executed: 'no' } };
const inbox = (session: string) => ['message.list', { session, mailbox: 'INBOX' }] as const;
const aged = (session: string) => ['mailbox.list', { session, maxAgeMs: 600_000 }] as const;

async function serve(overrides: Partial<BrokerOptions> = {}) {
  const broker = await runBroker(dovecot, { checkResults: true, ...overrides });
  const client = await RawClient.open(broker.url);
  onTestFinished(async () => {
    await client.close();
    await broker.stop();
  });
  const accountOf = (user: string) => {
    const account = broker.registry.get(accountKey({ tenant: 'webmail', server: { name: 'dovecot' }, user }));
    if (!account) throw new Error(`There is no account of ${user}.`);
    return account;
  };
  return { broker, client, accountOf };
}

const failures = async () => (await dovecot.log()).match(/auth failed, 1 attempts/g)?.length ?? 0;

/** Connections of a user end at the server, and the broker has seen it. */
async function cut(user: string, size: () => number): Promise<void> {
  await dovecot.kick(user);
  await expect.poll(size).toBe(0);
}

describe('a session stands on its own proof', () => {
  it('with a password that is another one now it ends when one with the new password is opened, by one login', async () => {
    const { client } = await serve();
    const user = newUser('own');
    const old = await client.login(user);
    expect((await client.call(...inbox(old))).messages).toEqual([]);
    await client.call(...aged(old));
    await dovecot.setPassword(user, 'changed');
    const fresh = await client.login(user, 'changed');
    const before = await failures();
    for (let round = 0; round < 3; round += 1) {
      await expect(client.call(...inbox(old))).rejects.toMatchObject(refused);
      // Nor from what is in memory.
      await expect(client.call(...aged(old))).rejects.toMatchObject(refused);
      expect((await client.call(...inbox(fresh))).messages).toEqual([]);
    }
    await expect.poll(failures).toBe(before + 1);
    // What needs no proof: to end it.
    expect(await client.call('session.close', { session: old })).toEqual({
      closed: true,
      lasts: true,
      everywhere: null,
    });
    expect((await client.call(...inbox(fresh))).messages).toEqual([]);
  }, 30_000);

  it('with the right password it waits on when the server refuses the one of another session', async () => {
    const { client, accountOf } = await serve();
    const user = newUser('own');
    await dovecot.setPassword(user, 'right', 'revoked');
    const right = await client.login(user, 'right');
    const revoked = await client.login(user, 'revoked');
    expect((await client.call(...inbox(right))).messages).toEqual([]);
    expect((await client.call(...inbox(revoked))).messages).toEqual([]);
    // The pool logs in with what was proven last.
    await client.login(user, 'revoked');
    await dovecot.setPassword(user, 'right');
    const names = ['one', 'two', 'three', 'four'];
    const made = names.map((mailbox) => client.call('mailbox.create', { session: right, mailbox }));
    expect(await Promise.all(made)).toHaveLength(4);
    await cut(user, () => accountOf(user).size);
    const [mine, others] = await Promise.allSettled([client.call(...inbox(right)), client.call(...inbox(revoked))]);
    expect([mine.status, others]).toMatchObject(['fulfilled', { reason: refused }]);
    await expect(client.call(...inbox(revoked))).rejects.toMatchObject(refused);
    expect((await client.call(...inbox(right))).messages).toEqual([]);
  }, 30_000);

  it('with a password that was revoked it ends when the server has ended its connections, whatever other sessions are open', async () => {
    const { client, accountOf } = await serve();
    const user = newUser('own');
    await dovecot.setPassword(user, 'right', 'revoked');
    const revoked = await client.login(user, 'revoked');
    const right = await client.login(user, 'right');
    for (const session of [right, revoked]) expect((await client.call(...inbox(session))).messages).toEqual([]);
    await dovecot.setPassword(user, 'right');
    await cut(user, () => accountOf(user).size);
    expect((await client.call(...inbox(right))).messages).toEqual([]);
    await expect(client.call(...inbox(revoked))).rejects.toMatchObject(refused);
  }, 30_000);

  it('costs a login for each of two passwords that are right, and no more as long as they are in use', async () => {
    const { client } = await serve();
    const user = newUser('own');
    await dovecot.setPassword(user, 'one', 'two');
    const sessions = [await client.login(user, 'one'), await client.login(user, 'two')];
    const visit = async () => {
      for (const session of sessions) expect((await client.call(...inbox(session))).messages).toEqual([]);
    };
    // The second password made the first one doubtful, once.
    await visit();
    await expect.poll(() => dovecot.logins(user)).toBe(3);
    for (let round = 0; round < 5; round += 1) await visit();
    expect(await client.login(user, 'one')).toBeTruthy();
    expect(await client.login(user, 'two')).toBeTruthy();
    await visit();
    expect(await dovecot.logins(user)).toBe(3);
  }, 30_000);

  it('keeps a watch alive that a session with a refused password had begun, for those that are left', async () => {
    const { client } = await serve({
      watchTimes: { heartbeatMs: 300, pollMs: 300, quietMs: 50, retryMs: 50, stayMs: 0 },
    });
    const user = newUser('own');
    const first = await client.login(user);
    await client.call('watch.start', { session: first, mailboxes: ['INBOX'] });
    await dovecot.setPassword(user, 'changed');
    const second = await client.login(user, 'changed');
    await expect(client.call(...inbox(first))).rejects.toMatchObject(refused);
    const told = new Promise((resolve) =>
      client.onNotification(({ method, params }) => {
        if (method === 'event' && params.type === 'new') resolve(params);
      }),
    );
    const { messages } = await client.call(...inbox(second));
    expect(messages).toEqual([]);
    const other = await dovecot.client(user, 'changed');
    await other.append('INBOX', 'Subject: seen\r\n\r\nHello\r\n');
    expect(await told).toMatchObject({ mailbox: 'INBOX' });
  }, 30_000);
});

it('over a restart: a session with the old password is refused, one with the new goes on, in whatever order they come', async () => {
  const served = new ServedProgram(dovecot);
  onTestFinished(() => served.end());
  await served.start();
  const client = await served.connect();
  const user = newUser('own');
  const old = await client.login(user);
  await dovecot.setPassword(user, 'changed');
  const fresh = await client.login(user, 'changed');
  for (const order of [
    [old, fresh],
    [fresh, old],
  ]) {
    await served.program.stop('SIGKILL');
    await served.start();
    const again = await served.connect();
    for (const session of [...order, ...order]) {
      const answer = again.call(...inbox(session));
      if (session === old) await expect(answer).rejects.toMatchObject(refused);
      else expect((await answer).messages).toEqual([]);
    }
  }
}, 60_000);
