import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCourier } from './courier.js';
import { startCyrus } from './cyrus.js';
import { LeanImap } from './lean-imap.js';
import type { NamespacedServer } from './namespaced-server.js';

describe.each([
  ['Cyrus', startCyrus],
  ['Courier', startCourier],
])('the test %s', (_name, start) => {
  let server: NamespacedServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  it('starts, and leaves nothing behind', async () => {
    const other = await start();
    const client = await other.client(other.user());
    await other.stop();
    expect(existsSync(other.folder)).toBe(false);
    await expect.poll(() => client.open).toBe(false);
    expect(existsSync('/usr/lib/cyrus/bin/master') || existsSync('/usr/sbin/couriertcpd')).toBe(false);
  });

  it('takes messages into folders, in order', async () => {
    const user = server.user();
    const folder = server.folderName('Projects', '2020');
    const messages = ['one', 'two'].map((subject) => `Subject: ${subject}\r\n\r\nHello\r\n`);
    await server.deliver(user, folder, messages);
    await server.deliver(user, 'INBOX', messages.slice(1));
    const client = await server.client(user);
    const [, fetched] = await client.all(`SELECT "${folder}"`, 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]');
    expect(fetched?.untagged.map((line) => /Subject: (\w+)/.exec(line)?.[1])).toEqual(['one', 'two']);
    const [inbox] = await client.all('SELECT INBOX');
    expect(inbox?.untagged).toContain('1 EXISTS');
    await client.close();
  });

  it('goes on after a literal that was refused', async () => {
    const client = await server.client(server.user());
    const replies = await client.send('NOOP', `APPEND "${server.folderName('None')}" {3}\r\nabc`, 'NOOP');
    expect(replies.map(({ status }) => status)).toEqual(['OK', 'NO', 'OK']);
    await client.close();
  });

  it('refuses another password', async () => {
    await expect(LeanImap.open(server.plainPort, server.user(), 'wrong')).rejects.toThrow('NO');
  });
});
