import { ImapFlow } from 'imapflow';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { startRelay } from './relay.js';
import { type ScriptedOptions, startScriptedServer } from './scripted-server.js';

async function scripted(options: ScriptedOptions = {}) {
  const server = await startScriptedServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function flow(port: number, options: { secure?: boolean; ca?: string } = {}) {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: options.secure ?? false,
    servername: 'localhost',
    tls: options.ca ? { ca: options.ca } : {},
    ...(options.secure === undefined ? { doSTARTTLS: options.ca !== undefined } : {}),
    auth: { user: 'alice', pass: 'x' },
    logger: false,
    disableAutoIdle: true,
  });
  client.on('error', () => {});
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

describe('the scripted server', () => {
  it('lets a client log in, list, select, append and log out', async () => {
    const server = await scripted({ exists: 3 });
    const client = await flow(server.port);
    expect((await client.list()).map((folder) => folder.path)).toEqual(['INBOX']);
    expect((await client.mailboxOpen('INBOX')).exists).toBe(3);
    const big = Buffer.alloc(3_000_000, 'x');
    expect(await client.append('INBOX', big)).toMatchObject({ uid: 4 });
    expect(server.bytes.length).toBeGreaterThan(big.length);
    expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 3 });
    expect(server.connections.size).toBe(1);
    await client.logout();
    await expect.poll(() => server.connections.size).toBe(0);
    expect(server.names()).toEqual(expect.arrayContaining(['AUTHENTICATE', 'LIST', 'SELECT', 'APPEND', 'LOGOUT']));
  });

  it.each(['implicit', 'starttls', 'none'] as const)('speaks with the broker’s own connection, TLS %s', async (tls) => {
    const server = await scripted({ tls });
    const connection = await ImapConnection.open('1', server.server(), { user: 'alice', password: 'x' });
    expect(server.names().indexOf('STARTTLS') >= 0).toBe(tls === 'starttls');
    expect(server.names().filter((name) => name === 'AUTHENTICATE')).toHaveLength(1);
    const [peer] = server.connections;
    expect(peer?.secure).toBe(tls !== 'none');
    peer?.reset();
    await expect.poll(() => connection.usable).toBe(false);
  });

  it('refuses logins, misbehaves by command, and goes on as usual elsewhere', async () => {
    const refusing = await scripted({ login: 'NO [LIMIT] Too many' });
    await expect(flow(refusing.port)).rejects.toMatchObject({ serverResponseCode: 'LIMIT' });
    const server = await scripted({
      on: {
        SELECT: (command, connection) => {
          connection.send('* OK [ALERT] not today');
          return server.answer(command, connection);
        },
        NOOP: (_command, connection) => connection.reset(),
      },
    });
    const client = await flow(server.port);
    await client.mailboxOpen('INBOX');
    const closed = new Promise((resolve) => client.once('close', resolve));
    await client.noop();
    await closed;
  });

  it('can stay silent from the start', async () => {
    for (const options of [{ greeting: null }, { tls: 'never' }] as const) {
      const server = await scripted(options);
      const opening = ImapConnection.open('1', server.server({ connectTimeoutMs: 100, loginTimeoutMs: 100 }), {
        user: 'alice',
        password: 'x',
      });
      await expect(opening).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE' });
      expect(server.received).toEqual([]);
      await expect.poll(() => server.connections.size).toBe(0);
    }
  });
});

describe('the relay', () => {
  it('delays, freezes, thaws and cuts', async () => {
    const server = await scripted();
    const relay = await startRelay(server.port, { delayMs: 20 });
    onTestFinished(() => relay.close());
    const client = await flow(relay.port);
    const begun = performance.now();
    await client.noop();
    expect(performance.now() - begun).toBeGreaterThan(38);
    relay.delayMs = 0;
    relay.freeze();
    let answered = false;
    const noop = client.noop().then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    expect(client.usable).toBe(true);
    relay.thaw();
    await noop;
    expect(relay.connections).toBe(1);
    const closed = new Promise((resolve) => client.once('close', resolve));
    relay.cut();
    await closed;
    await expect.poll(() => [relay.connections, server.connections.size]).toEqual([0, 0]);
  });

  it('holds back the end of a connection while frozen', async () => {
    const server = await scripted();
    const relay = await startRelay(server.port);
    onTestFinished(() => relay.close());
    const client = await flow(relay.port);
    relay.freeze();
    server.cut();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.usable).toBe(true);
    relay.thaw();
    await expect.poll(() => client.usable).toBe(false);
    await expect.poll(() => relay.connections).toBe(0);
  });
});
