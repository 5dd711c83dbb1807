import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { freePorts } from '../support/ports.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { runMain } from './run-main.js';

let folder: string;
let dovecot: Dovecot;
let broker: Broker & { url: string };
let client: RawClient;
let admin: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-admin-'));
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { unix: join(folder, 'admin.sock'), mode: 0o600, forOperators: true },
    ],
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'operator', tokenHashes: [hashToken('operators-token')], scopes: ['admin'] }),
    ],
  });
  client = await RawClient.open(broker.url);
  admin = broker.urls[1] ?? '';
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
  await rm(folder, { recursive: true });
});

describe('a command for operators', () => {
  it('comes in by the admin socket without a token, which nobody but its owner can open', async () => {
    const { code, out } = await runMain('servers', '--url', admin);
    expect([code, out]).toEqual([
      0,
      'SERVER   STATE    FAILED  RETRY IN  CONNECTIONS  LIMIT  WAITING  ACCOUNTS  REDUCED\n' +
        'dovecot  untried       0         -            0    500        0         0        0\n',
    ]);
    expect((await stat(join(folder, 'admin.sock'))).mode & 0o777).toBe(0o600);
  });

  it('prints JSON where it is asked to', async () => {
    const user = newUser('seen');
    await client.login(user);
    const { code, out } = await runMain('accounts', '--url', admin, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ total: 1, accounts: [{ tenant: 'webmail', server: 'dovecot', user }] });
    expect((await runMain('accounts', '--url', admin)).out).toContain(`webmail  dovecot  ${user}`);
  });

  it('comes in elsewhere by the token in a file, and is told what is missing', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'operators-token\n');
    expect((await runMain('servers', '--url', broker.url, '--token-file', file)).code).toBe(0);
    writeFileSync(file, TOKEN);
    expect(await runMain('servers', '--url', broker.url, '--token-file', file)).toEqual({
      code: 1,
      out: '',
      err: 'imap-broker: FORBIDDEN: server.list needs the scope "admin", which this application does not have.\n',
    });
    const { code, err } = await runMain('servers', '--url', broker.url);
    expect([code, err]).toEqual([
      2,
      `imap-broker: UNAUTHENTICATED: the broker at ${broker.url} asks for a token: give --token-file, with one of a tenant that has the scope admin.\n`,
    ]);
    writeFileSync(file, 'nobodys-token');
    expect(await runMain('servers', '--url', broker.url, '--token-file', file)).toEqual({
      code: 2,
      out: '',
      err: `imap-broker: UNAUTHENTICATED: the broker at ${broker.url} does not know the token in ${file}.\n`,
    });
    writeFileSync(file, '\n');
    expect(await runMain('servers', '--url', broker.url, '--token-file', file)).toEqual({
      code: 2,
      out: '',
      err: `imap-broker: --token-file: ${file} is empty.\n`,
    });
    const missing = join(folder, 'missing');
    expect((await runMain('servers', '--url', broker.url, '--token-file', missing)).err).toContain(
      `--token-file: cannot`,
    );
  });

  it('says so where no broker listens, and what may be the matter', async () => {
    const nobody = `unix:${join(folder, 'nobody.sock')}`;
    const { code, err } = await runMain('servers', '--url', nobody);
    expect([code, err]).toEqual([
      1,
      `imap-broker: no broker can be reached at ${nobody}: ENOENT. There is no such socket: does the broker run?\n`,
    ]);
    const [port = 0] = await freePorts(1);
    expect((await runMain('servers', '--url', `ws://127.0.0.1:${port}`)).err).toContain(
      'ECONNREFUSED. No process listens there: does the broker run?',
    );
  });

  it('says at once what is wrong with TLS', async () => {
    const wss = `wss://127.0.0.1:${new URL(broker.url).port}`;
    const { code, err } = await runMain('servers', '--url', wss);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /no broker can be reached at wss:\S+: [A-Z_]+\. The broker does not speak TLS there: is ws: meant\?\n$/,
      ),
    ]);
    const strange = `wss://localhost:${dovecot.tlsPort}`;
    expect((await runMain('servers', '--url', strange)).err).toMatch(
      /no broker can be reached at wss:\S+: (?:UNABLE_TO_VERIFY|\w*CERT)\w*\. Its certificate is not trusted: NODE_EXTRA_CA_CERTS names a file/,
    );
  }, 20_000);

  it('refuses a number that is none, with the limits', async () => {
    const { code, err } = await runMain('accounts', '--url', admin, '--limit', '1001');
    expect([code, err]).toEqual([2, expect.stringContaining('It must be a whole number from 1 to 1000.')]);
  });
});

it('the admin socket is for operators alone: mail is not read there', async () => {
  const open = JSON.stringify({ server: 'dovecot', user: 'somebody', auth: { password: 'x' } });
  const { code, err } = await runMain('call', 'session.open', open, '--url', admin, '--token', TOKEN);
  expect([code, err]).toEqual([1, expect.stringMatching(/IMAP_AUTH_FAILED/)]);
});
