import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser } from '../support/dovecot.js';
import { RawClient, runBroker } from '../support/running-broker.js';

/** Access tokens that the introspection endpoint knows, with their users. */
const valid = new Map<string, string>();

let folder: string;
let introspection: Server;
const dovecots: Dovecot[] = [];
beforeAll(async () => {
  introspection = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const username = valid.get(new URLSearchParams(body).get('token') ?? '');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(username === undefined ? { active: false } : { active: true, username }));
    });
  });
  await new Promise<void>((resolve) => introspection.listen(0, '127.0.0.1', resolve));
  const { port } = introspection.address() as AddressInfo;
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-oauth2-'));
  const file = join(folder, 'oauth2.conf');
  writeFileSync(
    file,
    `introspection_mode = post
introspection_url = http://127.0.0.1:${port}/
username_attribute = username
active_attribute = active
active_value = true
`,
    { mode: 0o644 },
  );
  chmodSync(folder, 0o755);
  for (const mechanism of ['oauthbearer', 'xoauth2']) {
    const settings = `auth_mechanisms = plain ${mechanism}
passdb {
  driver = oauth2
  mechanisms = ${mechanism}
  args = ${file}
}`;
    dovecots.push(await Dovecot.start({ settings }));
  }
});
afterAll(async () => {
  await Promise.all(dovecots.map((dovecot) => dovecot.stop()));
  await new Promise((resolve) => introspection.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
function tokenFor(user: string): string {
  made += 1;
  const token = `access-${user}-${made}`;
  valid.set(token, user);
  return token;
}

const expired = { data: { kind: 'IMAP_TOKEN_EXPIRED', executed: 'no' } };

describe.each([0, 1])('OAuth2 at a server with mechanism %i of OAUTHBEARER and XOAUTH2', (index) => {
  it('opens a session, tells an expired token from a wrong password, and goes on with a new one', async () => {
    const dovecot = dovecots[index] as Dovecot;
    const broker = await runBroker(dovecot);
    const client = await RawClient.open(broker.url);
    const user = newUser('oauth');
    const open = (accessToken: string) =>
      client.call('session.open', { server: 'dovecot', user, auth: { accessToken } });
    await expect(open('unknown')).rejects.toMatchObject(expired);
    await expect(open(tokenFor('somebody-else'))).rejects.toMatchObject(expired);
    const first = tokenFor(user);
    const { session } = await open(first);
    const inbox = (token: string) => client.call('message.list', { session: token, mailbox: 'INBOX' });
    expect((await inbox(session)).messages).toEqual([]);

    valid.delete(first);
    // Who is in stays in: the server checks a token at the login alone.
    expect((await inbox(session)).messages).toEqual([]);
    await dovecot.kick(user);
    await expect.poll(async () => (await dovecot.who()).get(user)).toBeUndefined();
    await expect(inbox(session)).rejects.toMatchObject(expired);
    const logins = async () => (await dovecot.log()).match(/imap-login: Info: .*auth failed/g)?.length ?? 0;
    // Each of the four refusals so far is in the log, which is written behind.
    await expect.poll(logins).toBeGreaterThanOrEqual(3);
    const before = await logins();
    await expect(inbox(session)).rejects.toMatchObject(expired);
    expect(await logins()).toBe(before);

    const auth = (accessToken: string) => ({ accessToken, expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    await expect(client.call('session.refresh', { session, auth: auth('rubbish') })).rejects.toMatchObject(expired);
    const refreshed = await client.call('session.refresh', { session, auth: auth(tokenFor(user)) });
    expect((await inbox(refreshed.session)).messages).toEqual([]);
    const soon = { accessToken: tokenFor(user), expiresAt: new Date(Date.now() + 60_000).toISOString() };
    const again = await client.call('session.refresh', { session, auth: soon });
    await inbox(again.session);
    expect(client.notifications.at(-1)).toMatchObject({
      method: 'session.expiring',
      params: { server: 'dovecot', user, what: 'accessToken', expiresAt: soon.expiresAt },
    });
    // The same session: to close it by its new token ends the old one as well.
    await client.call('session.close', { session: refreshed.session });
    await expect(inbox(session)).rejects.toMatchObject({ data: { kind: 'SESSION_EXPIRED' } });
    await client.close();
    await broker.stop();
  }, 60_000);

  it('has nothing to refresh in a session that was opened with a password', async () => {
    const dovecot = dovecots[index] as Dovecot;
    const broker = await runBroker(dovecot);
    const client = await RawClient.open(broker.url);
    const session = await client.login(newUser());
    await expect(client.call('session.refresh', { session, auth: { accessToken: 'x' } })).rejects.toMatchObject({
      data: { kind: 'INVALID_PARAMS', field: 'session' },
    });
    await client.close();
    await broker.stop();
  });
});
