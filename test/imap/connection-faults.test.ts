import { describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { atom, literal, sequence } from '../../src/imap/wire/tokens.js';
import { startRelay } from '../support/relay.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { alice, opened, received, scripted } from './scripted.js';

const lost = { kind: 'CONNECTION_LOST', executed: 'maybe' };
const fetchBody = (connection: ImapConnection) => connection.exec('read', 'UID FETCH', [sequence('1'), atom('BODY[]')]);

/** Resolves when the connection has told that it ended. */
const ended = (connection: ImapConnection) => new Promise<void>((resolve) => connection.onClose(resolve));

describe('an answer that is too large', () => {
  const limit = 64 * 1024;

  it.each<[string, ScriptedHandler]>([
    ['a literal over the limit', (_c, peer) => peer.send(`* 1 FETCH (UID 1 BODY[] {${limit + 1}}`)],
    ['a literal that no memory could hold', (_c, peer) => peer.send('* 1 FETCH (UID 1 BODY[] {99999999999}')],
    ['many literals', (_c, peer) => peer.raw(`* 1 FETCH (UID 1${` X {${limit}}\r\n${'x'.repeat(limit)}`.repeat(3)}`)],
    ['a line without end', (_c, peer) => peer.raw(`* 1 FETCH (UID 1 X "${'x'.repeat(3 * limit)}`)],
  ])('is TOO_LARGE and ends the connection: %s', async (_name, answer) => {
    const server = await scripted({ on: { 'UID FETCH': answer } });
    const connection = await opened(server, { maxLiteralBytes: limit });
    await expect(fetchBody(connection)).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.usable).toBe(false);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('is never held in memory', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const server = await scripted({
      on: {
        'UID FETCH': async (_command, peer) => {
          peer.raw('* 1 FETCH (UID 1 X "');
          for (let sent = 0; sent < 100 && peer.open; sent += 1) {
            peer.raw(chunk);
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      },
    });
    const connection = await opened(server, { maxLiteralBytes: limit });
    await expect(fetchBody(connection)).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.bytes.received).toBeLessThan(4 * chunk.length);
  });
});

describe('an answer that makes no sense ends the connection', () => {
  it.each<[string, ScriptedHandler]>([
    ['a row that cannot be parsed', (c, peer) => peer.send('* 1 FETCH (UID 1 BODY[] "abc', `${c.tag} OK done`)],
    ['unbalanced parentheses', (c, peer) => peer.send('* 1 FETCH (UID (1)', `${c.tag} OK done`)],
    ['a tagged answer that is none', (c, peer) => peer.send(`${c.tag} PERHAPS`)],
    ['a tagged answer that cannot be parsed', (c, peer) => peer.send(`${c.tag} OK [UNCLOSED (1`)],
    ['an answer to a command that was never sent', (c, peer) => peer.send(`${nextTag(c.tag)} OK done`)],
    ['binary noise', (_c, peer) => peer.raw(`* 1 FETCH (\x00\x01\xff"\r\n${'\xfe\x00)('.repeat(50)}\r\n`)],
  ])('%s', async (_name, answer) => {
    const server = await scripted({ on: { 'UID FETCH': answer } });
    const connection = await opened(server);
    const fetching = fetchBody(connection);
    // The tag that the noise names belongs to the command behind it.
    const behind = connection.exec('read', 'CHECK').catch(() => {});
    await expect(fetching).rejects.toMatchObject(lost);
    await behind;
    expect(connection.usable).toBe(false);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('is refused as the server meant it where only the tag is missing', async () => {
    const server = await scripted({ on: { 'UID FETCH': (_c, peer) => peer.send('BAD What?') } });
    const connection = await opened(server);
    await expect(fetchBody(connection)).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { status: 'BAD' } });
    expect(connection.usable).toBe(false);
  });

  it('while nothing is asked ends it silently', async () => {
    const server = await scripted();
    const connection = await opened(server);
    const [peer] = server.connections;
    peer?.send('* 1 FETCH (UID 1 BODY[] "abc');
    await ended(connection);
    await expect(connection.noop()).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
  });
});

describe('a connection that breaks', () => {
  it.each<[string, ScriptedHandler]>([
    ['before the answer', (_c, peer) => peer.reset()],
    ['orderly before the answer', (_c, peer) => peer.end()],
    ['in the middle of a literal', (_c, peer) => cutBehind(peer, '* 1 FETCH (UID 1 BODY[] {1000}\r\nabc')],
    ['in the middle of a line', (_c, peer) => cutBehind(peer, '* 1 FETCH (UID 1 BOD')],
    ['between the rows and the OK', (_c, peer) => cutBehind(peer, '* 1 FETCH (UID 1 BODY[] "a")\r\n')],
  ])('%s is lost, and told at once', async (_name, answer) => {
    const server = await scripted({ on: { 'UID FETCH': answer } });
    const connection = await opened(server);
    await expect(fetchBody(connection)).rejects.toMatchObject(lost);
    await expect(fetchBody(connection)).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
    expect(connection.writes).toEqual({ begun: 0, done: 0 });
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('in the middle of a write leaves open whether it was done', async () => {
    const server = await scripted({ onLiteral: (_command, peer) => peer.reset() });
    const connection = await opened(server);
    const append = connection.exec('write', 'APPEND', [atom('INBOX'), literal('x'.repeat(10_000))]);
    await expect(append).rejects.toMatchObject(lost);
    expect(connection.writes).toEqual({ begun: 1, done: 0 });
  });

  it('with BYE at work is lost with the words of the server', async () => {
    const server = await scripted({ on: { 'UID FETCH': (_c, peer) => peer.send('* BYE Shutting down, sorry') } });
    const connection = await opened(server);
    await expect(fetchBody(connection)).rejects.toMatchObject({
      ...lost,
      imap: { status: 'BYE', text: 'Shutting down, sorry' },
      retryAfterMs: expect.any(Number),
    });
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('with a tagged BYE is lost as well', async () => {
    const server = await scripted({ on: { 'UID FETCH': (c, peer) => peer.send(`${c.tag} BYE so long`) } });
    const connection = await opened(server);
    await expect(fetchBody(connection)).rejects.toMatchObject({ ...lost, imap: { status: 'BYE' } });
    expect(connection.usable).toBe(false);
  });

  it('with BYE beside its answer has answered, and is not usable from that moment on', async () => {
    const server = await scripted({ on: { NOOP: (c, peer) => peer.send('* BYE later', `${c.tag} OK done`) } });
    const connection = await opened(server);
    await connection.noop();
    expect(connection.usable).toBe(false);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('with BYE while idle is not usable from that moment on', async () => {
    const server = await scripted();
    const connection = await opened(server);
    const [peer] = server.connections;
    peer?.send('* BYE Autologout');
    await ended(connection);
    await expect(connection.noop()).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('half-open waits for nobody once it is closed, and LOGOUT ends in time', async () => {
    const server = await scripted();
    const relay = await startRelay(server.port);
    onTestFinished(() => relay.close());
    const connection = await ImapConnection.open('1', { ...server.server(), port: relay.port }, alice);
    relay.freeze();
    const noop = connection.noop();
    connection.close();
    await expect(noop).rejects.toMatchObject(lost);
    const frozen = await scripted();
    const other = await opened(frozen);
    for (const peer of frozen.connections) peer.freeze();
    const begun = performance.now();
    await other.logout(50);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(other.usable).toBe(false);
  });

  it('during the LOGOUT is as good as logged out, and LOGOUT is said once', async () => {
    const server = await scripted({ on: { LOGOUT: (_command, peer) => peer.reset() } });
    const connection = await opened(server);
    const logout = received(server, 'LOGOUT');
    await Promise.all([connection.logout(1_000), connection.logout(1_000), logout]);
    expect(server.names().filter((name) => name === 'LOGOUT')).toHaveLength(1);
    expect(connection.usable).toBe(false);
  });
});

function nextTag(tag: string): string {
  return (Number.parseInt(tag, 16) + 1).toString(16).toUpperCase();
}

function cutBehind(peer: Parameters<ScriptedHandler>[1], octets: string): void {
  peer.raw(octets);
  // A reset would overtake what was just sent.
  peer.end();
}
