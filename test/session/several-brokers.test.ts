import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { rotateKeys } from '../../src/session/key-ring.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { oneOfSeveral, WITHIN } from '../support/several-brokers.js';

let dovecot: Dovecot;
let folder: string;
let brokers: Set<Broker>;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-state-'));
  brokers = new Set();
});
afterEach(async () => {
  await Promise.all([...brokers].map((broker) => broker.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A broker with the same state folder as the others and no store in common, and clients of it. */
async function start() {
  const one = await oneOfSeveral(dovecot, {
    sessionFiles: {
      keyFile: join(folder, 'session.keys'),
      createKeys: true,
      revocationsFile: join(folder, 'revoked.jsonl'),
    },
  });
  const { broker } = one;
  brokers.add(broker);
  const stop = async () => {
    brokers.delete(broker);
    await broker.stop();
  };
  return { ...one, stop };
}

describe('a session that ends at one of several brokers with one state folder', () => {
  it('when it is closed is refused at the others within two seconds, in all of its tokens, and is not renewed', async () => {
    const [one, other, late] = [await start(), await start(), await start()];
    const session = await one.client.login(newUser());
    const { session: renewed } = await other.client.call('session.renew', { session });
    expect(await one.client.call('session.close', { session })).toEqual({
      closed: true,
      lasts: true,
      everywhere: null,
    });
    await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
    expect(await other.isIn(renewed)).toBe(false);
    await expect(other.client.call('session.renew', { session: renewed })).rejects.toMatchObject({
      data: { kind: 'SESSION_EXPIRED' },
    });
    expect(await late.isIn(renewed)).toBe(false);
  });

  it('when it is kicked is refused at the others within two seconds, and its connections end there', async () => {
    const [one, other] = [await start(), await start()];
    const session = await one.client.login(newUser());
    expect((await other.client.call('message.list', { session, mailbox: 'INBOX' })).messages).toEqual([]);
    expect(other.broker.registry.caps.total).toBe(1);
    const { sessions } = await one.operator.call('session.list', {});
    await one.operator.call('session.kick', { id: sessions[0]?.id ?? '' });
    await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
    await expect.poll(() => other.broker.registry.caps.total).toBe(0);
    expect((await other.operator.call('session.list', {})).sessions).toEqual([]);
  });

  it.each(['user', 'tenant'])(
    'with all of its %s, wherever they were opened, and none that is opened later',
    async (whose) => {
      const [one, other] = [await start(), await start()];
      const user = newUser();
      // One of them has revoked more often than the other.
      for (let round = 0; round < 3; round += 1) {
        await other.operator.call('session.revoke', { tenant: 'webmail', user: newUser() });
      }
      const sessions = await Promise.all([one.client.login(user), other.client.login(user)]);
      for (const session of sessions) expect(await other.isIn(session)).toBe(true);
      await one.operator.call('session.revoke', { tenant: 'webmail', ...(whose === 'user' ? { user } : {}) });
      const later = await Promise.all([one.client.login(user), other.client.login(user)]);
      for (const session of sessions) {
        expect(await one.isIn(session)).toBe(false);
        await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
      }
      for (const session of later) expect([await one.isIn(session), await other.isIn(session)]).toEqual([true, true]);
    },
  );

  it('stays ended after a restart of either and of both', async () => {
    let [one, other] = [await start(), await start()];
    const [user, ben] = [newUser(), newUser()];
    const [closed, revoked, open] = [
      await one.client.login(newUser()),
      await other.client.login(user),
      await other.client.login(ben),
    ];
    await one.client.call('session.close', { session: closed });
    await other.operator.call('session.revoke', { tenant: 'webmail', user });
    const isRight = async () => {
      for (const { isIn } of [one, other]) {
        expect([await isIn(closed), await isIn(revoked), await isIn(open)]).toEqual([false, false, true]);
      }
    };
    await one.stop();
    one = await start();
    await isRight();
    await other.stop();
    other = await start();
    await isRight();
    await Promise.all([one.stop(), other.stop()]);
    [one, other] = await Promise.all([start(), start()]);
    await isRight();
    await one.operator.call('session.revoke', { tenant: 'webmail', user: ben });
    await expect.poll(() => other.isIn(open), WITHIN).toBe(false);
  });
});

describe('keys in a state folder that several brokers have', () => {
  it('are the same at all of them, also when the command line has rotated them', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const before = await one.client.login(newUser());
    expect(await other.isIn(before)).toBe(true);
    rotateKeys(join(folder, 'session.keys'));
    const third = await start();
    const after = await third.client.login(newUser());
    for (const { isIn } of [one, other]) expect([await isIn(before), await isIn(after)]).toEqual([true, true]);
    const { id } = await one.operator.call('keys.rotate', {});
    const sealedWith = async () => {
      const session = await other.client.login(newUser());
      return JSON.parse(Buffer.from(session.split('.')[0] ?? '', 'base64url').toString()).kid;
    };
    await expect.poll(sealedWith).toBe(id);
  });
});
