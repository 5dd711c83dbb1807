import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { freePorts } from '../support/ports.js';
import type { ScriptedOptions } from '../support/scripted-server.js';
import { upstream } from '../support/upstream.js';
import { alice, received, SECRET, sawSecret, scripted } from './scripted.js';

const unavailable = { kind: 'UPSTREAM_UNAVAILABLE', executed: 'no', retryAfterMs: expect.any(Number) };

describe('a bad certificate ends the attempt before any credential is sent', () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start();
  });
  afterAll(() => dovecot.stop());

  it.each([
    ['of another name', { servername: 'mail.example.com' }, /ALTNAME/],
    ['of an unknown authority', { secureContext: createSecureContext() }, /UNABLE_TO|SELF_SIGNED/],
  ])('%s', async (_name, overrides, code) => {
    for (const server of [dovecot.server(), dovecot.server({ tls: 'starttls', port: dovecot.plainPort })]) {
      const opening = ImapConnection.open('1', { ...server, ...overrides }, { user: newUser(), password: PASSWORD });
      await expect(opening).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(code) });
    }
    expect(await dovecot.logins()).toBe(0);
    expect(await dovecot.log()).not.toContain('auth-worker');
  });

  it('that has expired', async () => {
    const { cert, key } = expired();
    let heard = 0;
    const server = createTlsServer({ cert, key }, (socket) => socket.on('data', (chunk) => (heard += chunk.length)));
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const secureContext = createSecureContext({ ca: cert });
    const opening = ImapConnection.open('1', upstream('expired', port, { secureContext }), alice);
    await expect(opening).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('CERT_HAS_EXPIRED'),
    });
    expect(heard).toBe(0);
  });

  it('also of a scripted server that would have taken them', async () => {
    for (const tls of ['implicit', 'starttls'] as const) {
      const server = await scripted({ tls });
      const opening = ImapConnection.open('1', server.server({ servername: 'other.example.com' }), alice);
      await expect(opening).rejects.toMatchObject(unavailable);
      expect(sawSecret(server.bytes)).toBe(false);
      expect(server.names()).not.toContain('AUTHENTICATE');
      await expect.poll(() => server.connections.size).toBe(0);
    }
  });
});

describe('required STARTTLS is never done without', () => {
  it.each<[string, ScriptedOptions]>([
    ['when it is not offered', { capabilities: 'IMAP4rev1 AUTH=PLAIN' }],
    ['when it is refused', { capabilities: 'IMAP4rev1 AUTH=PLAIN STARTTLS' }],
    ['behind a PREAUTH greeting', { greeting: '* PREAUTH welcome' }],
  ])('%s', async (_name, options) => {
    const server = await scripted(options);
    const opening = ImapConnection.open('1', server.server({ tls: 'starttls' }), alice);
    await expect(opening).rejects.toMatchObject(unavailable);
    expect(sawSecret(server.bytes)).toBe(false);
    expect(server.names().filter((name) => /AUTH|LOGIN/.test(name))).toEqual([]);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('when somebody in between adds answers of his own behind the OK', async () => {
    const server = await scripted({
      capabilities: 'IMAP4rev1 AUTH=PLAIN STARTTLS',
      on: { STARTTLS: (command, peer) => peer.send(`${command.tag} OK begin`, '* CAPABILITY IMAP4rev1 AUTH=LOGIN') },
    });
    await expect(ImapConnection.open('1', server.server({ tls: 'starttls' }), alice)).rejects.toMatchObject(
      unavailable,
    );
    expect(sawSecret(server.bytes)).toBe(false);
  });
});

describe('a server that is not there, or not well', () => {
  const times = { connectTimeoutMs: 100, loginTimeoutMs: 100 };

  it.each<[string, ScriptedOptions, RegExp]>([
    ['never greets', { greeting: null }, /GREETING_TIMEOUT/],
    ['never answers the TLS handshake', { tls: 'never' }, /CONNECT_TIMEOUT/],
    ['greets with BYE', { greeting: '* BYE Too many connections from your address' }, /Too many connections/],
    ['speaks another protocol', { greeting: 'SSH-2.0-OpenSSH_9.2' }, /GREETING_TIMEOUT/],
    ['resets before the greeting', { onConnect: (peer) => peer.reset() }, /./],
    ['hangs in the login', { on: { AUTHENTICATE: () => {} } }, /login timed out/],
    ['ends in the login', { on: { AUTHENTICATE: (_command, peer) => peer.end() } }, /./],
    ['resets in the login', { on: { AUTHENTICATE: (_command, peer) => peer.reset() } }, /./],
    ['says BYE in the login', { on: { AUTHENTICATE: (_c, peer) => peer.send('* BYE going down') } }, /going down/],
    ['hangs behind the login', { on: { NAMESPACE: () => {} } }, /login timed out/],
    ['ends behind the login', { on: { NAMESPACE: (_command, peer) => peer.end() } }, /./],
    ['logs everybody in without asking', { greeting: '* PREAUTH welcome' }, /asks for no credentials/],
    ['forbids logins', { capabilities: 'IMAP4rev1 LOGINDISABLED' }, /disabled/],
  ])('is UPSTREAM_UNAVAILABLE in time and leaves no socket when it %s', async (_name, options, text) => {
    const server = await scripted(options);
    const begun = performance.now();
    const opening = ImapConnection.open('1', server.server(times), alice);
    await expect(opening).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(text) });
    expect(performance.now() - begun).toBeLessThan(5_000);
    await expect.poll(() => server.connections.size).toBe(0);
    await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining(SECRET) });
  });

  it('is UPSTREAM_UNAVAILABLE when nobody listens, no name is known, or nobody answers at all', async () => {
    const [port = 0] = await freePorts(1);
    const refused = ImapConnection.open('1', upstream('none', port), alice);
    await expect(refused).rejects.toMatchObject({ ...unavailable, message: expect.stringContaining('ECONNREFUSED') });
    const unknown = ImapConnection.open('1', upstream('none', port, { host: 'no-such-host.invalid' }), alice);
    await expect(unknown).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
    // A full backlog answers no handshake of TCP: the listener never takes anything.
    const silent = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port: silentPort } = silent.address() as { port: number };
    silent.on('connection', (socket) => onTestFinished(() => void socket.destroy()));
    await expect(ImapConnection.open('1', upstream('none', silentPort, times), alice)).rejects.toMatchObject(
      unavailable,
    );
  });
});

describe('a refused login', () => {
  const refusals: Array<[string, string]> = [
    ['NO [AUTHENTICATIONFAILED] Authentication failed.', 'IMAP_AUTH_FAILED'],
    ['NO [AUTHORIZATIONFAILED] No such proxy user', 'IMAP_AUTH_FAILED'],
    ['NO [EXPIRED] Password expired', 'IMAP_AUTH_FAILED'],
    ['NO Login failed.', 'IMAP_AUTH_FAILED'],
    ['NO [ALERT] Invalid credentials (Failure)', 'IMAP_AUTH_FAILED'],
    ['NO [UNAVAILABLE] Temporary authentication failure', 'UPSTREAM_UNAVAILABLE'],
    ['NO [LIMIT] Maximum number of connections from user+IP exceeded', 'UPSTREAM_UNAVAILABLE'],
    ['NO [INUSE] Mailbox locked', 'UPSTREAM_UNAVAILABLE'],
    ['NO [PRIVACYREQUIRED] Use TLS', 'UPSTREAM_UNAVAILABLE'],
    ['NO [ALERT] Too many simultaneous connections. (Failure)', 'UPSTREAM_UNAVAILABLE'],
    ['NO Too many connections, try again later', 'UPSTREAM_UNAVAILABLE'],
    ['BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds', 'UPSTREAM_UNAVAILABLE'],
    ['BYE not now', 'UPSTREAM_UNAVAILABLE'],
  ];

  it.each(refusals)('"%s" is %s', async (login, kind) => {
    const server = await scripted({ login });
    await expect(ImapConnection.open('1', server.server(), alice)).rejects.toMatchObject({ kind, executed: 'no' });
    expect(server.names().filter((name) => name === 'AUTHENTICATE')).toHaveLength(1);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('says how long a throttling server wants to be left alone', async () => {
    const server = await scripted({ login: 'BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds' });
    const opening = ImapConnection.open('1', server.server(), alice);
    await expect(opening).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', retryAfterMs: 92_415 });
  });
});

describe('opening', () => {
  it('ends with the reason of its signal at every stage, and leaves no socket', async () => {
    const reason = new Error('enough');
    const aborted = AbortSignal.abort(reason);
    const server = await scripted({ on: { AUTHENTICATE: () => {} } });
    await expect(ImapConnection.open('1', server.server(), alice, aborted)).rejects.toBe(reason);
    expect(server.accepted).toBe(0);
    const controller = new AbortController();
    const inLogin = received(server, 'AUTHENTICATE');
    const opening = ImapConnection.open('1', server.server(), alice, controller.signal);
    await inLogin;
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await expect.poll(() => server.connections.size).toBe(0);
  });
});

function expired(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-expired-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  try {
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', at('key'), '-out', at('request'));
    writeFileSync(at('names'), 'subjectAltName=DNS:localhost\n');
    const sign = ['-signkey', at('key'), '-extfile', at('names')];
    openssl('x509', '-req', '-days', '-1', '-in', at('request'), ...sign, '-out', at('cert'));
    return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
