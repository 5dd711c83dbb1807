import { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ImapConnection } from '../../../src/imap/connection/connection.js';
import { attemptTimeout } from '../../../src/imap/login/transport.js';
import { bytesOf } from '../../../src/imap/wire/tokens.js';
import { Dovecot, newUser, PASSWORD } from '../../support/dovecot.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';
import { waitFor } from '../../support/wait-for.js';
import { alice, opened, scripted } from '../scripted.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start({ maxUserIpConnections: 1 });
});
afterAll(() => dovecot.stop());

describe('a login', () => {
  it('that failed leaves nothing behind that the next one trips over', async () => {
    const server = await scripted({ onConnect: (peer) => peer.reset() });
    await expect(ImapConnection.open('1', server.server(), alice)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
    });
    const other = await scripted();
    const connection = await opened(other);
    other.cut();
    await waitFor(() => expect(connection.usable).toBe(false));
  });

  it('that the limit of connections ends is UPSTREAM_UNAVAILABLE with a time to wait, and no wrong password', async () => {
    const credentials = { user: newUser(), password: PASSWORD };
    const first = await ImapConnection.open('1', dovecot.server(), credentials);
    onTestFinished(() => first.logout(1_000));
    await expect(ImapConnection.open('2', dovecot.server(), credentials)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      executed: 'no',
      retryAfterMs: expect.any(Number),
      imap: { code: 'LIMIT' },
    });
    const wrong = ImapConnection.open('3', dovecot.server(), { user: newUser(), password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
  });

  it('tells the server who the client is: the broker, and nothing of its libraries', async () => {
    const server = await scripted({ capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN ID' });
    await opened(server);
    const ids = server.received.filter((line) => / ID /.test(line));
    expect(ids.length).toBeGreaterThan(0);
    for (const line of ids) expect(line).toMatch(/ ID \("name" "imap-broker" "version" "[^"]+"\)$/);
  });

  it('switches on CONDSTORE and QRESYNC where they are offered, and never UTF8=ACCEPT or IMAP4rev2', async () => {
    const capabilities = 'IMAP4rev1 IMAP4rev2 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC UTF8=ACCEPT';
    const server = await scripted({
      capabilities,
      on: { ENABLE: (command, peer) => peer.send('* ENABLED QRESYNC', `${command.tag} OK done`) },
    });
    const connection = await opened(server);
    expect(server.received.at(-1)).toMatch(/ ENABLE CONDSTORE QRESYNC$/);
    expect(['CONDSTORE', 'QRESYNC'].map((name) => connection.enabled(name))).toEqual([true, true]);
  });

  it('keeps no list of capabilities for others that is larger than servers have', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `X-NUMBER-${index}`);
    const server = await scripted({ capabilities: `IMAP4rev1 SASL-IR AUTH=PLAIN ${names.join(' ')}` });
    const [one, other] = [await opened(server), await opened(server)];
    expect(one.has('X-NUMBER-999')).toBe(true);
    expect(one.capabilities).not.toBe(other.capabilities);
    expect(one.capabilities).toEqual(other.capabilities);
  });

  it('goes on where the server refuses what it offers', async () => {
    const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE COMPRESS=DEFLATE';
    const no = { ENABLE: refuse, COMPRESS: refuse };
    const connection = await opened(await scripted({ capabilities, on: no }), { compress: true });
    expect(connection.enabled('CONDSTORE')).toBe(false);
    await connection.noop();
  });

  it('gives addresses of a name more time than Node does, and less than the whole', () => {
    expect(attemptTimeout({ connectTimeoutMs: 10_000 })).toBe(2_500);
    expect(attemptTimeout({ connectTimeoutMs: 100 })).toBe(250);
  });
});

const refuse: ScriptedHandler = (command, peer) => peer.no(command);

describe('what a server says during the login', () => {
  it('unasked, behind an answer, is still there for the connection', async () => {
    const server = await scripted({
      on: {
        NAMESPACE: (command, peer) => {
          peer.send('* NAMESPACE (("" "/")) NIL NIL', `${command.tag} OK done`, '* BYE going down');
        },
      },
      capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE',
    });
    await expect(opened(server)).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', imap: { text: 'going down' } });
  });

  it('in literals and in pieces is put together', async () => {
    const server = await scripted({
      capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE ID',
      on: {
        ID: async (command, peer) => {
          for (const octet of `* ID ("name" {7}\r\nA1 OK x "version" "1")\r\n${command.tag} OK done\r\n`) {
            peer.raw(octet);
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      },
    });
    const connection = await opened(server);
    expect(connection.serverName).toBe('A1 OK x');
  });

  it.each([
    ['without end', (count: number) => 'x'.repeat(count * 1000)],
    ['in very many lines', () => '* OK still there\r\n'.repeat(5_000)],
    ['in very large literals', () => '* ID ("a" {99999999}\r\n'],
  ])('%s ends the login', async (_name, text) => {
    const server = await scripted({
      capabilities: 'IMAP4rev1 AUTH=PLAIN NAMESPACE ID',
      on: { ID: (_command, peer) => peer.raw(text(2_000)) },
    });
    await expect(opened(server)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringMatching(/before the login is over/),
    });
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('by a flood of continuation requests gets the password once', async () => {
    const server = await scripted({
      capabilities: 'IMAP4rev1 AUTH=PLAIN',
      on: {
        AUTHENTICATE: (_command, peer) => {
          peer.send('+ ');
          peer.nextLine(() => peer.raw('+ \r\n'.repeat(10_000)));
        },
      },
    });
    await expect(opened(server)).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE' });
    const sent = Buffer.from(['', alice.user, alice.password].join('\0')).toString('base64');
    expect(server.bytes.toString('latin1').split(sent)).toHaveLength(2);
  });
});

describe('compression', () => {
  it('costs 250 KiB a connection, so only the operator turns it on', async () => {
    const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN COMPRESS=DEFLATE';
    const server = await scripted({ capabilities, on: { COMPRESS: refuse } });
    await opened(server);
    expect(server.names()).not.toContain('COMPRESS');
    await opened(server, { compress: true });
    expect(server.names()).toContain('COMPRESS');
  });

  it('works over TLS and STARTTLS, in both directions, for large and small', async () => {
    for (const server of [dovecot.server(), dovecot.server({ tls: 'starttls', port: dovecot.plainPort })]) {
      const user = newUser();
      const connection = await ImapConnection.open('1', { ...server, compress: true }, { user, password: PASSWORD });
      expect(await connection.select('INBOX')).toMatchObject({ exists: 0 });
      const raw = Buffer.from(`Subject: large\r\n\r\n${'compress me '.repeat(100_000)}\r\n`);
      await connection.exec('write', 'APPEND', [{ mailbox: 'INBOX' }, { type: 'LITERAL', value: raw }]);
      await connection.noop();
      const bodies: (Buffer | undefined)[] = [];
      await connection.exec(
        'read',
        'FETCH',
        [
          { type: 'SEQUENCE', value: '1' },
          { type: 'ATOM', value: 'BODY.PEEK', section: [] },
        ],
        {
          FETCH: ({ items }) => bodies.push(bytesOf(items.get('BODY[]'))),
        },
      );
      // Of so many octets the platform's comparison is quicker.
      expect(bodies.map((body) => body?.equals(raw))).toEqual([true]);
      await connection.logout(1_000);
    }
  });
});

describe('sockets', () => {
  it('share the TLS context that is given', async () => {
    const secureContext = createSecureContext({ ca: dovecot.ca });
    const open = () =>
      ImapConnection.open('1', dovecot.server({ secureContext }), { user: newUser(), password: PASSWORD });
    for (const connection of [await open(), await open()]) await connection.logout(1_000);
  });

  it.each(['none', 'starttls', 'implicit'] as const)('send at once what is written, TLS %s', async (tls) => {
    const server = await scripted({ tls });
    const off = vi.spyOn(Socket.prototype, 'setNoDelay');
    onTestFinished(() => off.mockRestore());
    await ImapConnection.open('1', server.server(), alice).then((connection) => connection.close());
    expect(off.mock.calls).toEqual([[true]]);
  });
});
