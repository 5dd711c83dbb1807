import type { ImapFlow } from 'imapflow';
import { describe, expect, it, vi } from 'vitest';
import { ImapConnection } from '../../src/imap/connection.js';
import { fetchRange } from '../../src/imap/fetch.js';
import { atom, rawExec, sequence } from '../../src/imap/raw-exec.js';
import { defaultPoolLimits } from '../../src/pool/slots.js';
import type { ScriptedServer } from '../support/scripted-server.js';
import { alice, opened, received, scripted } from './scripted.js';

// One test for each trap of imapflow that was found by measuring. A new version of imapflow may spring others.

/** The imapflow object inside, for what cannot be seen from outside. */
const inside = <T>(connection: ImapConnection, look: (flow: ImapFlow) => T) =>
  connection.command('read', async (flow) => ({ seen: look(flow) })).then(({ seen }) => seen);

/** What ends a connection in the middle of a command, once it has arrived. */
function resetOn(server: ScriptedServer, name: string): void {
  server.on[name] = (_command, peer) => peer.reset();
}

describe('imapflow is single use', () => {
  it('so every opening makes another, also after one that failed', async () => {
    const server = await scripted({ login: 'NO [UNAVAILABLE] not now' });
    await expect(ImapConnection.open('1', server.server(), alice)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
    });
    const other = await scripted();
    const [first, second] = [await opened(other), await opened(other)];
    expect(await inside(first, (flow) => flow)).not.toBe(await inside(second, (flow) => flow));
  });
});

describe('an RST without an error listener ends the process', () => {
  it('so one is there before connecting, at every later moment, and after the end', async () => {
    const server = await scripted({ onConnect: (peer) => peer.reset() });
    await expect(ImapConnection.open('1', server.server(), alice)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
    });
    const other = await scripted();
    const connection = await opened(other);
    const flow = await inside(connection, (it) => it);
    expect(flow.listenerCount('error')).toBeGreaterThan(0);
    other.cut();
    await vi.waitFor(() => expect(connection.usable).toBe(false));
    expect(flow.listenerCount('error')).toBeGreaterThan(0);
    flow.emit('error', new Error('late'));
  });
});

describe('calls that resolve although the connection is lost', () => {
  it.each<[string, string, 'read' | 'write', (flow: ImapFlow) => Promise<unknown>]>([
    ['noop', 'NOOP', 'read', (flow) => flow.noop()],
    ['status', 'STATUS', 'read', (flow) => flow.status('Other', { messages: true })],
    ['search', 'UID SEARCH', 'read', (flow) => flow.search({ all: true }, { uid: true })],
    ['store', 'UID STORE', 'write', (flow) => flow.messageFlagsAdd('1', ['\\Seen'], { uid: true })],
    ['copy', 'UID COPY', 'write', (flow) => flow.messageCopy('1', 'Other', { uid: true })],
    ['move', 'UID MOVE', 'write', (flow) => flow.messageMove('1', 'Other', { uid: true })],
    ['delete', 'UID STORE', 'write', (flow) => flow.messageDelete('1', { uid: true })],
    ['quota', 'GETQUOTAROOT', 'read', (flow) => flow.getQuota('INBOX')],
    ['create', 'CREATE', 'write', (flow) => flow.mailboxCreate('Other')],
    ['close', 'CLOSE', 'write', (flow) => flow.mailboxClose()],
  ])('are errors here: %s', async (_name, command, effect, call) => {
    const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS MOVE QUOTA';
    const server = await scripted({ capabilities, exists: 1 });
    const connection = await opened(server);
    await connection.select('INBOX');
    resetOn(server, command);
    const reached = received(server, command);
    await expect(connection.command(effect, call)).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'maybe',
    });
    await reached;
    expect(connection.writes).toEqual({ begun: effect === 'write' ? 1 : 0, done: 0 });
  });

  it('are the refusal that they hide, while the connection goes on', async () => {
    const server = await scripted({ on: { 'UID COPY': (c, peer) => peer.no(c, '[OVERQUOTA] full') }, exists: 1 });
    const connection = await opened(server);
    await connection.select('INBOX');
    const copying = connection.command('write', (flow) => flow.messageCopy('1', 'INBOX', { uid: true }));
    await expect(copying).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { code: 'OVERQUOTA' }, executed: 'no' });
    server.on.NOOP = (command, peer) => peer.no(command, 'folder is gone');
    await expect(connection.noop()).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { text: 'folder is gone' } });
    expect(connection.usable).toBe(true);
  });
});

describe('a silent connection outside IDLE ends itself after five minutes', () => {
  it('which is later than the pool ends it here', async () => {
    const connection = await opened(await scripted());
    const timeout = await inside(connection, (flow) => (flow as unknown as { socketTimeout: number }).socketTimeout);
    expect(timeout).toBeGreaterThan(defaultPoolLimits.maxAgeMs);
    const sockets = await inside(connection, (flow) => (flow as unknown as { socket: { timeout: number } }).socket);
    expect(sockets.timeout).toBe(timeout);
  });
});

describe('mailboxOpen always selects, and lists the first time', () => {
  it('so nothing is sent when the folder is selected, a NOOP if it is to be fresh, and never a LIST', async () => {
    const server = await scripted({ exists: 3 });
    const connection = await opened(server);
    const before = server.received.length;
    await connection.select('INBOX');
    await connection.select('inbox');
    await connection.select('INBOX', { fresh: true });
    expect(server.names().slice(before)).toEqual(['SELECT', 'NOOP']);
  });
});

describe('ETHROTTLE parks the reader for minutes', () => {
  it.each<[string, (connection: ImapConnection) => Promise<unknown>]>([
    ['FETCH', (connection) => fetchRange(connection, '1', 'uid', ['flags'])],
    [
      'a FETCH of imapflow, which would repeat it',
      (connection) => connection.command('read', (flow) => flow.fetchAll('1', { flags: true }, { uid: true })),
    ],
    ['a NOOP, whose outcome imapflow hides', (connection) => connection.noop()],
    ['a write', (connection) => rawExec(connection, 'write', 'UID FETCH', [sequence('1'), atom('FLAGS')])],
  ])('but the caller is told at once how long to wait: %s', async (_name, ask) => {
    const server = await scripted({ exists: 1 });
    const connection = await opened(server);
    await connection.select('INBOX');
    const throttle = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';
    for (const name of ['UID FETCH', 'NOOP']) server.on[name] = (command, peer) => peer.bad(command, throttle);
    const begun = performance.now();
    await expect(ask(connection)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      executed: 'no',
      retryAfterMs: 92_415,
    });
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(server.names().filter((name) => name === 'UID FETCH').length).toBeLessThanOrEqual(1);
    // The reader goes on: what is asked next is answered.
    await rawExec(connection, 'read', 'CHECK');
    expect(connection.quiet).toBe(true);
  });
});

describe('an answer that nobody takes, or an iterator that nobody ends, blocks the connection for ever', () => {
  it('so a connection is quiet only when nothing of the kind is left', async () => {
    const server = await scripted({
      exists: 2,
      on: {
        'UID FETCH': (command, peer) =>
          peer.send('* 1 FETCH (UID 1 FLAGS ())', '* 2 FETCH (UID 2 FLAGS ())', `${command.tag} OK done`),
      },
    });
    const connection = await opened(server);
    await connection.select('INBOX');
    expect(connection.quiet).toBe(true);
    await connection.command('read', async (flow) => {
      await flow.fetch('1:*', { flags: true }, { uid: true }).next();
      return true;
    });
    expect(connection.quiet).toBe(false);
    const other = await opened(server);
    await other.command('read', async (flow) => {
      const inner = flow as unknown as { exec(command: string): Promise<{ next(): void }> };
      await inner.exec('NOOP');
      return true;
    });
    expect(other.quiet).toBe(false);
  });

  it('so a defect in the middle of a command ends the connection', async () => {
    const connection = await opened(await scripted());
    const defect = connection.command('read', async (flow) => {
      await (flow as unknown as { exec(command: string): Promise<unknown> }).exec('NOOP');
      throw new TypeError('not a function');
    });
    await expect(defect).rejects.toMatchObject({ kind: 'INTERNAL' });
    expect(connection.usable).toBe(false);
  });
});
