import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ImapConnection } from '../../src/imap/connection.js';
import { FETCH_BATCH, fetchSummaries } from '../../src/imap/fetch.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { alice, opened, scripted } from './scripted.js';

// The traps of imapflow that lie in its defaults; the others are in imapflow-traps.test.ts.

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start({ maxUserIpConnections: 1 });
});
afterAll(() => dovecot.stop());

async function optionsOf(connection: ImapConnection): Promise<ImapFlow['options']> {
  return connection.command('read', async (flow) => flow.options);
}

describe('the limit of connections is told like a wrong password', () => {
  it('but is UPSTREAM_UNAVAILABLE with a time to wait, by its response code', async () => {
    const credentials = { user: newUser(), password: PASSWORD };
    const first = await ImapConnection.open('1', dovecot.server(), credentials);
    onTestFinished(() => first.logout(1_000));
    await expect(ImapConnection.open('2', dovecot.server(), credentials)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      executed: 'no',
      retryAfterMs: expect.any(Number),
      cause: { authenticationFailed: true, serverResponseCode: 'LIMIT' },
    });
    const wrong = ImapConnection.open('3', dovecot.server(), { user: newUser(), password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
  });
});

describe('COMPRESS is used wherever it is offered and costs 250 KiB a connection', () => {
  it('so only the operator turns it on', async () => {
    const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN COMPRESS=DEFLATE';
    const server = await scripted({ capabilities, on: { COMPRESS: (command, peer) => peer.no(command) } });
    await opened(server);
    expect(server.names()).not.toContain('COMPRESS');
    await opened(server, { compress: true });
    expect(server.names()).toContain('COMPRESS');
  });

  it('and then works', async () => {
    const user = newUser();
    const compressed = await ImapConnection.open('1', dovecot.server({ compress: true }), { user, password: PASSWORD });
    onTestFinished(() => compressed.logout(1_000));
    expect(await compressed.select('INBOX')).toMatchObject({ exists: 0 });
  });
});

describe('every connection makes a TLS context of its own', () => {
  it('unless one is given', async () => {
    const secureContext = createSecureContext({ ca: dovecot.ca });
    const open = (id: string) =>
      ImapConnection.open(id, dovecot.server({ secureContext }), { user: newUser(), password: PASSWORD });
    const connections = [await open('1'), await open('2')];
    for (const connection of connections) {
      expect((await optionsOf(connection)).tls).toMatchObject({ secureContext });
      await connection.logout(1_000);
    }
  });
});

describe('the default caps are 1 GiB a literal and 2 GiB an answer', () => {
  it('which the configured limit lowers', async () => {
    const connection = await opened(await scripted(), { maxLiteralBytes: 1_000 });
    expect(await optionsOf(connection)).toMatchObject({ maxLiteralSize: 1_000, maxResponseSize: 2_000 });
  });
});

describe('STARTTLS is used where it is offered and done without where not', () => {
  it.each([
    ['starttls', true, false],
    ['none', false, false],
    ['implicit', false, true],
  ] as const)('so it is always said which: %s', async (tls, doSTARTTLS, secure) => {
    const connection = await opened(await scripted({ tls }));
    expect(await optionsOf(connection)).toMatchObject({ doSTARTTLS, secure });
    expect((await optionsOf(connection)).tls).toMatchObject({ rejectUnauthorized: true });
  });
});

describe('Nagle holds small writes back', () => {
  it.each(['none', 'starttls', 'implicit'] as const)('so it is off: %s', async (tls) => {
    const server = await scripted({ tls });
    const off = vi.spyOn(Socket.prototype, 'setNoDelay');
    onTestFinished(() => off.mockRestore());
    await ImapConnection.open('1', server.server(), alice).then((connection) => connection.close());
    expect(off.mock.calls).toEqual([[true]]);
  });
});

describe('a long FETCH cannot be stopped', () => {
  it('so at most 200 messages are asked for at once', async () => {
    const server = await scripted({ exists: 450 });
    const connection = await opened(server);
    await connection.select('INBOX');
    const uids = Array.from({ length: 450 }, (_, index) => index + 1);
    await fetchSummaries(connection, uids, ['flags']);
    const sets = server.received.filter((line) => / UID FETCH /.test(line)).map((line) => line.split(' ')[3] ?? '');
    expect(sets.map((set) => set.split(',').length)).toEqual([200, 200, 50]);
    expect(FETCH_BATCH).toBeLessThanOrEqual(200);
  });
});

describe('several cures rest on the inside of imapflow', () => {
  it('so its version is pinned exactly', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const installed = JSON.parse(
      readFileSync(new URL('../../node_modules/imapflow/package.json', import.meta.url), 'utf8'),
    );
    expect(dependencies.imapflow).toBe(installed.version);
  });

  it('and what they rest on is there', async () => {
    const connection = await opened(await scripted());
    const flow = await connection.command('read', async (it) => it as unknown as Record<string, unknown>);
    expect(flow.requestTagMap).toBeInstanceOf(Map);
    expect(flow.authCapabilities).toBeInstanceOf(Map);
    expect(flow.folders).toBeInstanceOf(Map);
    expect(flow._throttleWaits).toBeInstanceOf(Set);
    expect(flow.parkedRelease).toBeNull();
    expect(flow.exec).toBeTypeOf('function');
    expect(flow.run).toBeTypeOf('function');
  });
});
