import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { fetchRange } from '../../src/imap/messages/fetch.js';
import { BrokerError, type BrokerErrorOptions, type ErrorKind } from '../../src/protocol/errors.js';
import { Dovecot } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { upstream } from '../support/upstream.js';
import { waitFor } from '../support/wait-for.js';
import { type FakeConnection, FakeServers } from './fake-server.js';
import { job, proven, registryWith } from './fixtures.js';

describe('what a failed job says of what was executed', () => {
  const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
  const cases: Array<[ErrorKind, BrokerErrorOptions['executed'], { begun: number; done: number }, string]> = [
    // Nothing was sent, so nothing was executed, whatever the error supposed.
    ['CONNECTION_LOST', 'maybe', { begun: 0, done: 0 }, 'no'],
    ['INTERNAL', 'maybe', { begun: 0, done: 0 }, 'no'],
    // A write was sent whose answer never came.
    ['CONNECTION_LOST', 'maybe', { begun: 1, done: 0 }, 'maybe'],
    ['DEADLINE', 'no', { begun: 1, done: 0 }, 'maybe'],
    ['INTERNAL', 'no', { begun: 1, done: 0 }, 'maybe'],
    // The write itself was refused.
    ['IMAP_NO', 'no', { begun: 1, done: 0 }, 'no'],
    ['NOT_FOUND', 'no', { begun: 1, done: 0 }, 'no'],
    // Of several writes some were done.
    ['IMAP_NO', 'no', { begun: 2, done: 1 }, 'maybe'],
    ['DEADLINE', 'no', { begun: 1, done: 1 }, 'maybe'],
    // An error that says that all of it was done is right.
    ['TOO_LARGE', 'yes', { begun: 1, done: 1 }, 'yes'],
    ['INTERNAL', 'yes', { begun: 1, done: 0 }, 'yes'],
  ];

  it.each(cases)('%s, said to be executed: %s, with writes %j, becomes %s', async (kind, said, writes, executed) => {
    const registry = registryWith({}, new FakeServers().connect);
    const account = await proven(registry, server);
    const running = account.run(job({ effect: 'write' }), async (connection) => {
      const { begun, done } = connection.writes;
      const now = { begun: begun + writes.begun, done: done + writes.done };
      Object.assign(connection as unknown as FakeConnection, { writes: now });
      throw new BrokerError(kind, 'failed', { executed: said });
    });
    await expect(running).rejects.toMatchObject({ kind, executed });
  });

  it('is not touched where the work threw something else', async () => {
    const registry = registryWith({}, new FakeServers().connect);
    const account = await proven(registry, server);
    const defect = new TypeError('x is undefined');
    let attempts = 0;
    const running = account.run(job(), async () => {
      attempts += 1;
      throw defect;
    });
    await expect(running).rejects.toBe(defect);
    expect(attempts).toBe(1);
  });
});

describe('a lease is the lock: imapflow itself lets callers into each other’s folders', () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start();
  });
  afterAll(() => dovecot.stop());

  const folders = ['One', 'Two', 'Three'];
  const subjects = async (connection: ImapConnection, folder: string) => {
    await connection.select(folder);
    const rows = await fetchRange(connection, '1:*', 'sequence', ['envelope']);
    return rows.map(({ envelope }) => envelope?.subject);
  };

  async function account(connectionsPerAccount: number) {
    const user = dovecot.user();
    for (const folder of folders) await dovecot.deliver(user, folder, message({ subject: folder }));
    const registry = registryWith({ connectionsPerAccount });
    return { registry, account: await proven(registry, dovecot.server(), { user }) };
  }

  it.each([1, 2])('so 60 jobs in three folders on %i connection(s) each see their own', async (connections) => {
    const { account: one } = await account(connections);
    const jobs = Array.from({ length: 60 }, (_, index) => {
      const mailbox = folders[index % folders.length] ?? '';
      return one
        .run(job({ mailbox }), (connection) => subjects(connection, mailbox))
        .then((seen) => ({ mailbox, seen }));
    });
    for (const { mailbox, seen } of await Promise.all(jobs)) expect(seen).toEqual([mailbox]);
  });

  it('and work that blocks its connection for ever is ended at its deadline, with the connection', async () => {
    const { registry, account: one } = await account(1);
    const deadlocked = one.run(job({ deadlineAt: Date.now() + 200 }), async (connection) => {
      await connection.select('One');
      await new Promise(() => {});
    });
    await expect(deadlocked).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    expect(await one.run(job(), (connection) => subjects(connection, 'Two'))).toEqual(['Two']);
    expect(registry.caps.total).toBe(1);
  });

  it('and a connection on which something is left is not lent again', async () => {
    const { registry, account: one } = await account(1);
    const left = await one.run(job(), async (connection) => {
      await connection.select('One');
      void connection.noop().catch(() => {});
      return connection.id;
    });
    expect(await one.run(job(), async ({ id }) => id)).not.toBe(left);
    await waitFor(() => expect(registry.caps.total).toBe(1));
  });

  it('and a defect of the work costs its connection, is told as it is, and is not repeated', async () => {
    const { account: one } = await account(1);
    let attempts = 0;
    const defective = one.run(job(), async () => {
      attempts += 1;
      throw new TypeError('x is undefined');
    });
    await expect(defective).rejects.toThrow('x is undefined');
    expect(attempts).toBe(1);
    expect(await one.run(job(), (connection) => subjects(connection, 'Two'))).toEqual(['Two']);
  });
});
