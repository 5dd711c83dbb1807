import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RedisServer } from '../support/redis.js';
import { page, samplesOf } from '../support/scrape.js';
import { oneOfSeveral, WITHIN } from '../support/several-brokers.js';

let dovecot: Dovecot;
let redis: RedisServer;
let folder: string;
let brokers: Broker[];
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
beforeEach(async () => {
  redis = await RedisServer.start();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-shared-'));
  brokers = [];
});
afterEach(async () => {
  redis.thaw();
  await Promise.all(brokers.map((broker) => broker.stop()));
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A broker that shares keys and store with the others, and a client of it. */
async function start() {
  const one = await oneOfSeveral(dovecot, {
    sessionFiles: { keyFile: join(folder, 'keys'), createKeys: true },
    shared: { url: redis.url },
    monitor: { host: '127.0.0.1', port: 0 },
  });
  brokers.push(one.broker);
  await expect.poll(async () => (await one.operator.call('broker.status', {})).shared).toBe('up');
  return one;
}

describe('a session that ends at one of several brokers', () => {
  it('is ended at the others within two seconds, where it was used before and where it was not', async () => {
    const [one, other, late] = [await start(), await start(), await start()];
    const session = await one.client.login(newUser());
    const { session: renewed } = await one.client.call('session.renew', { session });
    expect(await other.isIn(session)).toBe(true);
    expect(await one.client.call('session.close', { session })).toMatchObject({ closed: true, everywhere: true });
    await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
    expect(await other.isIn(renewed)).toBe(false);
    expect(await late.isIn(renewed)).toBe(false);
    await expect(other.client.call('session.renew', { session: renewed })).rejects.toThrow();
  });

  it('is ended at a broker that starts later', async () => {
    const one = await start();
    const session = await one.client.login(newUser());
    await one.client.call('session.close', { session });
    expect(await (await start()).isIn(session)).toBe(false);
  });

  it('ends with all of its user when that is revoked, and those that are opened afterwards do not', async () => {
    const [one, other] = [await start(), await start()];
    const user = newUser();
    const sessions = await Promise.all([one.client.login(user), other.client.login(user)]);
    const bystander = await other.client.login(newUser());
    for (const session of sessions) expect(await other.isIn(session)).toBe(true);
    expect(await one.operator.call('session.revoke', { tenant: 'webmail', user })).toMatchObject({ everywhere: true });
    for (const session of sessions) await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
    expect(await other.isIn(bystander)).toBe(true);
    const next = await one.client.login(user);
    expect([await one.isIn(next), await other.isIn(next)]).toEqual([true, true]);
  });

  it('is kicked everywhere', async () => {
    const [one, other] = [await start(), await start()];
    const session = await one.client.login(newUser());
    expect(await other.isIn(session)).toBe(true);
    const { sessions } = await one.operator.call('session.list', {});
    await one.operator.call('session.kick', { id: sessions[0]?.id ?? '' });
    await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
  });
});

describe('a store that cannot be reached', () => {
  it('stops nothing, is told, and gets what ended meanwhile when it is back, empty', async () => {
    const [one, other] = [await start(), await start()];
    const session = await one.client.login(newUser());
    expect(await other.isIn(session)).toBe(true);
    await redis.kill();
    const status = async () => (await one.operator.call('broker.status', {})).shared;
    await expect.poll(status).toBe('down');
    const metric = async () =>
      samplesOf((await page(one.broker.monitorUrl, '/metrics')).body).get('imap_broker_shared_up');
    expect(await metric()).toBe(0);
    expect(await one.client.call('session.close', { session })).toMatchObject({ everywhere: false });
    expect(await one.isIn(session)).toBe(false);
    expect(await other.isIn(session)).toBe(true);
    expect(await other.isIn(await one.client.login(newUser()))).toBe(true);
    await redis.run();
    await expect.poll(status).toBe('up');
    await expect.poll(() => other.isIn(session), WITHIN).toBe(false);
    expect(await metric()).toBe(1);
  });

  it('costs a request half a second at most where it stands still', async () => {
    const one = await start();
    const session = await one.client.login(newUser());
    redis.freeze();
    const begun = performance.now();
    expect(await one.client.call('session.close', { session })).toMatchObject({ everywhere: false });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe('an idempotency key at several brokers', () => {
  const data = message({ messageId: '<once@example.com>' }).toString('base64');

  it('stores a message once, whichever broker is asked again, at the same time or afterwards', async () => {
    const [one, other] = [await start(), await start()];
    const session = await one.client.login(newUser());
    const append = ({ client }: typeof one) =>
      client.call('message.append', { session, mailbox: 'INBOX', data, idempotencyKey: 'draft' });
    const answers = await Promise.all([append(one), append(other), append(one), append(other)]);
    answers.push(await append(await start()));
    expect(new Set(answers.map(({ uid }) => uid))).toEqual(new Set([1]));
    const different = { session, mailbox: 'INBOX', data, flags: ['\\Seen'], idempotencyKey: 'draft' };
    await expect(other.client.call('message.append', different)).rejects.toMatchObject({
      data: { kind: 'IDEMPOTENCY_MISMATCH' },
    });
  });

  it('is of no account where the store is down: the broker itself still knows of it', async () => {
    const one = await start();
    const session = await one.client.login(newUser());
    await redis.kill();
    const append = () =>
      one.client.call('message.append', { session, mailbox: 'INBOX', data, idempotencyKey: 'draft' });
    expect([(await append()).uid, (await append()).uid]).toEqual([1, 1]);
  });

  it('tells the store nothing of mail, users and passwords', async () => {
    const one = await start();
    const user = newUser('secretive');
    const session = await one.client.login(user);
    await one.client.call('message.append', { session, mailbox: 'INBOX', data, idempotencyKey: 'draft' });
    const { Redis } = await import('../../src/shared/redis.js');
    const store = new Redis({ url: redis.url });
    store.open();
    await expect.poll(() => store.up).toBe(true);
    const [, keys] = (await store.send(['SCAN', '0', 'COUNT', '1000'])) as [string, string[]];
    const values = await Promise.all(keys.map((key) => store.send(['GET', key])));
    expect(keys).toHaveLength(1);
    for (const text of [...keys, ...values]) expect(text).not.toMatch(new RegExp(`${user}|${PASSWORD}|INBOX|draft`));
    store.close();
  });
});
