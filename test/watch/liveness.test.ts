import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { Views } from '../../src/view/views.js';
import type { AccountHandle } from '../../src/watch/types.js';
import { watcherOf } from '../../src/watch/watcher.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';

/** Each connection has stayed long enough. */
const times = { heartbeatMs: 60_000, pollMs: 20, quietMs: 20, retryMs: 20, stayMs: 0 };

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

/** An account that has a connection of its own for each job, and none for lanes that are broken. */
function accountOf(user: string) {
  const account = {
    key: user,
    slots: new NewestInSlot(),
    broken: (_lane: string | undefined): boolean => false,
    /** The connection that stays with a folder. */
    staying: undefined as ImapConnection | undefined,
  };
  const run: AccountHandle['run'] = async (job, work) => {
    if (account.broken(job.lane)) throw new BrokerError('UPSTREAM_UNAVAILABLE', 'The server is away.');
    const connection = await ImapConnection.open('1', dovecot.server(), { user, password: PASSWORD });
    job.signal.addEventListener('abort', () => connection.close());
    if (job.lane === 'watch') account.staying = connection;
    try {
      return await work(connection, { wanted: new AbortController().signal, extend: () => {} });
    } finally {
      await connection.logout(1000);
    }
  };
  return Object.assign(account, { run });
}

it('a folder that is polled is answered from memory while the polls succeed, and not while they fail', async () => {
  const views = new Views();
  const account = accountOf(newUser());
  const watcher = watcherOf(views, times)(account, () => {});
  onTestFinished(() => watcher.close());
  const begun = await watcher.watch(['INBOX', 'Sent'], AbortSignal.timeout(10_000));
  expect(begun.get('Sent')).not.toBeNull();
  const { reader, unpin } = views.pin(account.key, 'Sent');
  onTestFinished(unpin);
  const isLive = () => reader.liveness?.() !== undefined;
  await expect.poll(isLive).toBe(true);
  account.broken = (lane) => lane === 'bulk';
  await expect.poll(isLive).toBe(false);
  account.broken = () => false;
  await expect.poll(isLive).toBe(true);
  // The poll gets through, and what it has seen cannot be looked at.
  account.broken = (lane) => lane === undefined;
  const other = await dovecot.client(account.key);
  await other.append('Sent', 'Subject: News\r\n\r\nHello', []);
  await expect.poll(isLive).toBe(false);
  watcher.close();
  expect([reader.liveness, reader.mostFlags]).toEqual([undefined, undefined]);
});

it('a watch whose connections stay comes back as soon as at first, however often one is lost', async () => {
  const views = new Views();
  const account = accountOf(newUser());
  const watcher = watcherOf(views, times)(account, () => {});
  onTestFinished(() => watcher.close());
  await watcher.watch(['INBOX'], AbortSignal.timeout(10_000));
  const { reader, unpin } = views.pin(account.key, 'INBOX');
  onTestFinished(unpin);
  for (let losses = 0; losses < 10; losses += 1) {
    await expect.poll(() => reader.liveness?.() !== undefined).toBe(true);
    account.staying?.close();
    await expect.poll(() => reader.liveness?.()).toBe(undefined);
  }
}, 60_000);

it('a watch is alive from its first moment on, before anything is due, until a poll fails', async () => {
  const account = accountOf(newUser());
  const watcher = watcherOf(new Views(), times)(account, () => {});
  onTestFinished(() => watcher.close());
  await watcher.watch(['INBOX', 'Sent'], AbortSignal.timeout(10_000));
  expect(watcher.alive).toBe(true);
  account.broken = (lane) => lane === 'bulk';
  await expect.poll(() => watcher.alive).toBe(false);
  account.broken = () => false;
  await expect.poll(() => watcher.alive).toBe(true);
});
