import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from './dovecot.js';
import { imapClient } from './imap-client.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await startDovecot();
});
afterAll(() => dovecot.stop());

const small = (subject: string) => `From: a@example.com\r\nSubject: ${subject}\r\n\r\nHello\r\n`;

describe('the test Dovecot', () => {
  it('starts, and leaves nothing behind', async () => {
    const other = await startDovecot();
    await other.stop();
    expect(existsSync(other.folder)).toBe(false);
  });

  it('takes messages with flags and date, in order', async () => {
    const user = dovecot.user();
    const date = new Date('2020-02-03T04:05:06Z');
    expect(await dovecot.deliver(user, 'Projects/2020', small('one'), { flags: ['\\Seen'], date })).toEqual([1]);
    expect(await dovecot.deliver(user, 'Projects/2020', [small('two'), small('three')])).toEqual([2, 3]);
    const client = await imapClient(dovecot, user);
    await client.mailboxOpen('Projects/2020');
    const all = await client.fetchAll('1:*', { envelope: true, flags: true, internalDate: true });
    expect(all.map((message) => message.envelope?.subject)).toEqual(['one', 'two', 'three']);
    expect(all[0]?.internalDate).toEqual(date);
    expect([...(all[0]?.flags ?? [])]).toContain('\\Seen');
  });

  it('takes thousands of messages by their files, UIDs in order', async () => {
    const user = dovecot.user();
    await dovecot.bulkDeliver(user, 'INBOX', 3000, (i) => ({ raw: small(`n${i}`), flags: i % 2 ? ['\\Seen'] : [] }));
    await dovecot.bulkDeliver(user, 'INBOX', 2, (i) => small(`late${i}`));
    const client = await imapClient(dovecot, user);
    const inbox = await client.mailboxOpen('INBOX');
    expect(inbox.exists).toBe(3002);
    const some = await client.fetchAll('1,1000,3000:3002', { envelope: true, uid: true, size: true }, { uid: true });
    expect(some.map((m) => [m.uid, m.envelope?.subject])).toEqual([
      [1, 'n0'],
      [1000, 'n999'],
      [3000, 'n2999'],
      [3001, 'late0'],
      [3002, 'late1'],
    ]);
    expect(some[0]?.size).toBe(small('n0').length);
    expect(await client.search({ seen: true })).toHaveLength(1500);
    expect(await client.messageCopy('1:2', 'Archive')).toMatchObject({ destination: 'Archive' });
  });

  it('counts connections and logins by user', async () => {
    const user = dovecot.user();
    await imapClient(dovecot, user);
    await imapClient(dovecot, user);
    await expect.poll(async () => (await dovecot.who()).get(user)).toBe(2);
    await expect.poll(() => dovecot.logins(user)).toBe(2);
    await dovecot.kick(user);
    await expect.poll(async () => (await dovecot.who()).get(user)).toBeUndefined();
  });

  it('changes one user’s password while others keep theirs', async () => {
    const user = dovecot.user();
    const live = await imapClient(dovecot, user);
    await dovecot.setPassword(user, 'new');
    const begun = performance.now();
    await expect(dovecot.client(user)).rejects.toMatchObject({ serverResponseCode: 'AUTHENTICATIONFAILED' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    await (await dovecot.client(user, 'new')).logout();
    await dovecot.setPassword(user, 'old');
    await expect(dovecot.client(user, 'new')).rejects.toMatchObject({ authenticationFailed: true });
    await (await dovecot.client(user, 'old')).logout();
    await imapClient(dovecot, dovecot.user());
    expect(live.usable).toBe(true);
  });

  it('comes back on the same ports with its mail after a kill', async () => {
    const user = dovecot.user();
    await dovecot.deliver(user, 'INBOX', small('kept'));
    const live = await imapClient(dovecot, user);
    const closed = new Promise((resolve) => live.once('close', resolve));
    await dovecot.kill();
    await closed;
    await expect(dovecot.client(user)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await dovecot.run();
    const client = await imapClient(dovecot, user);
    expect((await client.mailboxOpen('INBOX')).exists).toBe(1);
  });

  it('serves 150 TLS logins at once', async () => {
    const clients = await Promise.all(Array.from({ length: 150 }, () => dovecot.client(dovecot.user())));
    expect(clients.every((client) => client.usable)).toBe(true);
    for (const client of clients) client.close();
  });

  it('offers STARTTLS, quota, special-use folders, and what the options say', async () => {
    const other = await startDovecot({
      separator: '.',
      prefix: 'INBOX.',
      storage: 'sdbox',
      imapCapability: 'IMAP4rev1 UIDPLUS NAMESPACE LIST-EXTENDED SPECIAL-USE QUOTA',
      quota: '100K',
      maxUserIpConnections: 2,
    });
    try {
      const user = other.user();
      const client = await imapClient(other, user);
      expect(client.capabilities.has('CONDSTORE')).toBe(false);
      const folders = await client.list();
      expect(folders.map((folder) => folder.path).sort()).toEqual(
        ['INBOX', 'INBOX.Archive', 'INBOX.Drafts', 'INBOX.Junk', 'INBOX.Sent', 'INBOX.Trash'].sort(),
      );
      expect(folders.find((folder) => folder.path === 'INBOX.Sent')?.specialUse).toBe('\\Sent');
      expect(await client.getQuota('INBOX')).toMatchObject({ storage: { limit: 100 * 1024 } });
      await imapClient(other, user);
      await expect(other.client(user)).rejects.toMatchObject({ serverResponseCode: 'LIMIT' });
    } finally {
      await other.stop();
    }
  });
});
