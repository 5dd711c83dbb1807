import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';
import { runMain } from './run-main.js';

let folder: string;
let dovecot: Dovecot;
let program: string;
beforeAll(async () => {
  program = builtProgram();
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-trace-'));
  dovecot = await Dovecot.start();
}, 60_000);
afterAll(async () => {
  await dovecot.stop();
  await rm(folder, { recursive: true });
});

/** A broker with an admin socket, at the same path whenever it is started again. */
async function start(name: string, servers = [dovecot.server()]): Promise<Broker & { url: string; admin: string }> {
  const broker = await runBroker(dovecot, {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { unix: join(folder, name), mode: 0o600, forOperators: true },
    ],
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'helpdesk', tokenHashes: [hashToken('other')] }),
    ],
    servers,
  });
  onTestFinished(() => broker.stop());
  return Object.assign(broker, { admin: broker.urls[1] ?? '' });
}

async function connected(url: string, token?: string): Promise<RawClient> {
  const client = await RawClient.open(url, token);
  onTestFinished(() => client.close());
  return client;
}

/** The command, once it looks on. */
async function tracing(...args: string[]): Promise<Program> {
  const trace = new Program(process.execPath, [program, 'trace', ...args]);
  onTestFinished(async () => {
    await trace.stop('SIGKILL');
  });
  await trace.printed(/tracing .* Ctrl-C ends it/);
  return trace;
}

describe('imap-broker trace', () => {
  it("shows a user's requests as they are answered: timings and IMAP commands, nothing of what they contain", async () => {
    const { url, admin } = await start('shows.sock');
    const user = newUser('anna');
    await dovecot.deliver(user, 'Private folder', message({ subject: 'Private subject' }));
    const client = await connected(url);
    const trace = await tracing(user, '--url', admin);
    const session = await client.login(user);
    await client.login(newUser('berta'));
    await client.call('message.list', { session, mailbox: 'Private folder' });
    await expect(client.call('message.list', { session, mailbox: 'Nowhere' })).rejects.toThrow();
    await trace.printed(/NOT_FOUND.*\n/);
    expect(await trace.stop('SIGINT')).toBe(0);
    const lines = trace.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('  '));
    expect(lines.map(([, tenant, , method, , outcome, source]) => [tenant, method, outcome, source])).toEqual([
      ['webmail', 'session.open', 'ok', '-'],
      ['webmail', 'message.list', 'ok', 'server'],
      ['webmail', 'message.list', 'NOT_FOUND', '-'],
    ]);
    const [at, , request, , ms, , , queue, connect, select, command, connection, commands] = lines[1] ?? [];
    expect(Date.parse(at ?? '')).toBeLessThanOrEqual(Date.now());
    expect([request, ms]).toEqual(['socket-1/3', expect.stringMatching(/^[\d.]+ ms$/)]);
    expect([queue, connect, select, command].join(' ')).toMatch(/^queue \S+ connect \S+ select \S+ command \S+$/);
    expect([connection, commands]).toEqual([
      expect.stringMatching(/^on dovecot-\d+$/),
      expect.stringContaining('SELECT'),
    ]);
    expect(trace.out).not.toContain('Private');
    expect(trace.out).not.toContain(session);
  });

  it('ends without a word when nobody reads it any more', async () => {
    const { url, admin } = await start('unread.sock');
    const user = newUser('unread');
    const client = await connected(url);
    const session = await client.login(user);
    const command = `'${process.execPath}' '${program}' trace ${user} --url '${admin}'`;
    const shell = new Program('bash', ['-c', `${command} | head -n 1; echo "code \${PIPESTATUS[0]}"`]);
    onTestFinished(async () => {
      await shell.stop('SIGKILL');
    });
    await shell.printed(/tracing .* Ctrl-C ends it/);
    for (let count = 0; count < 5; count += 1) await client.call('mailbox.list', { session });
    await shell.printed(/code 0/);
    expect(shell.err).toBe(`tracing ${user} at dovecot; Ctrl-C ends it\n`);
  });

  it('shows who tries a wrong password, and with --json one object a line', async () => {
    const { url, admin } = await start('wrong.sock');
    const user = newUser('carla');
    const client = await connected(url);
    const trace = await tracing(user, '--server', 'dovecot', '--tenant', 'webmail', '--url', admin, '--json');
    const open = { server: 'dovecot', user, auth: { password: 'a-wrong-password' } };
    const elsewhere = await connected(url, 'other');
    await expect(elsewhere.call('session.open', open)).rejects.toThrow();
    await expect(client.call('session.open', open)).rejects.toThrow();
    await trace.printed(/IMAP_AUTH_FAILED.*\n/);
    expect(await trace.stop('SIGTERM')).toBe(0);
    expect(
      trace.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        ...{ trace: 'trace-1', at: expect.any(String), tenant: 'webmail', socket: 'socket-1', request: 1 },
        ...{ method: 'session.open', ms: expect.any(Number), outcome: 'IMAP_AUTH_FAILED', source: null },
        ...{ explain: null, missed: 0 },
      },
    ]);
    expect(trace.out).not.toContain('a-wrong-password');
  });

  it('goes on when the broker was restarted, and says that something may be missing', async () => {
    const first = await start('restart.sock');
    const user = newUser('dora');
    const trace = await tracing(user, '--url', first.admin);
    await first.stop();
    const second = await start('restart.sock');
    await trace.printed(/the broker was away; requests in between were not seen/);
    const client = await connected(second.url);
    await client.login(user);
    await trace.printed(/session\.open/);
    expect(await trace.stop('SIGINT')).toBe(0);
  });

  it('says what is missing or wrong', async () => {
    const two = [dovecot.server(), dovecot.server({ name: 'archive' })];
    const { url, admin } = await start('wants.sock', two);
    const refused = async (...args: string[]) => {
      const { code, out, err } = await runMain('trace', ...args);
      return [code, out, err];
    };
    const needs = 'imap-broker: trace needs --server: one of dovecot, archive.\n';
    expect(await refused('anna', '--url', admin)).toEqual([2, '', needs]);
    expect(await refused('anna', '--server', 'nowhere', '--url', admin)).toEqual([
      ...[1, '', 'imap-broker: NOT_FOUND: server: no IMAP server "nowhere" is configured.\n'],
    ]);
    expect(await refused('anna', '--server', 'dovecot', '--tenant', 'shop', '--url', admin)).toEqual([
      ...[1, '', 'imap-broker: NOT_FOUND: tenant: there is no application "shop".\n'],
    ]);
    expect(await refused('--url', admin)).toEqual([2, '', "error: missing required argument 'user'\n"]);
    const token = join(folder, 'token');
    await writeFile(token, TOKEN);
    expect(await refused('anna', '--server', 'dovecot', '--url', url, '--token-file', token)).toEqual([
      ...[1, ''],
      'imap-broker: FORBIDDEN: trace.start needs the scope "admin", which this application does not have.\n',
    ]);
  });
});
