import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAt } from '../../src/broker/look.js';
import { banner } from '../../src/cli/banner.js';
import { configOfFlags, type ServeFlags } from '../../src/cli/flags-config.js';
import { clientCertificate, serverCertificate } from '../support/certificates.js';
import { Dovecot } from '../support/dovecot.js';
import { freePorts } from '../support/ports.js';
import { RawClient } from '../support/running-broker.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';

let dovecot: Dovecot;
let folder: string;
const servers: Server[] = [];
beforeAll(async () => {
  builtProgram();
  dovecot = await Dovecot.start();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-look-'));
}, 120_000);
afterAll(async () => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
  await dovecot.stop();
});

/** Answers as an IMAP server without STARTTLS does. */
function imap(socket: Socket): void {
  socket.on('error', () => {});
  socket.write('* OK ready\r\n');
  socket.on('data', (bytes) => {
    const [tag = '', command = ''] = bytes.toString().trim().split(' ');
    if (tag !== '') socket.write(`${tag} ${command === 'STARTTLS' ? 'BAD unknown' : 'OK done'}\r\n`);
  });
}

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on('error', () => {}).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const overTls = (pair: { cert: string; key: string }) => listening(createTlsServer(pair, imap));

/** What the banner says of the server of these flags. */
async function said(server: string, flags: ServeFlags = {}): Promise<string[]> {
  const given = { server: [server], ...flags };
  const { config } = configOfFlags(given);
  const looks = await Promise.all(config.broker.servers.map(lookAt));
  const lines = banner(config, looks, given, 'ws://127.0.0.1:7143', undefined).split('\n');
  return lines.slice(2, lines.indexOf('', 2));
}

const LATER = 'The broker runs anyway and tries again when a user logs in.';
/** The day on which a certificate ends that was made for so many days. */
const dayIn = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe('the banner of serve --server says of a server', () => {
  it('that it was reached, until when its certificate is valid, and where that ends soon, in how many days', async () => {
    const port = dovecot.tlsPort;
    expect(await said(`localhost:${port}`, { ca: dovecot.caPath })).toEqual([
      `localhost, port ${port}, with TLS: reached, certificate valid until ${dayIn(2)}, in 1 day`,
    ]);
    const plain = dovecot.plainPort;
    expect(await said(`localhost:${plain}`, { ca: dovecot.caPath, starttls: true })).toEqual([
      `localhost, port ${plain}, with STARTTLS: reached, certificate valid until ${dayIn(2)}, in 1 day`,
    ]);
    expect(await said(`localhost:${plain}`, { insecureNoTls: true })).toEqual([
      `localhost, port ${plain}, WITHOUT TLS: passwords travel in clear: reached`,
    ]);
    const long = await overTls(serverCertificate('localhost', 90));
    expect(await said(`localhost:${long}`, { ca: dovecot.caPath })).toEqual([
      `localhost, port ${long}, with TLS: reached, certificate valid until ${dayIn(90)}`,
    ]);
  });

  it('that its certificate is self-signed: --ca, and how to get the file', async () => {
    const pair = clientCertificate('localhost', { selfSigned: true });
    const port = await overTls(pair);
    expect(await said(`localhost:${port}`)).toEqual([
      `localhost, port ${port}, with TLS: cannot be used`,
      '  Its certificate is self-signed: use --ca FILE with that certificate. To get it:',
      `  openssl s_client -connect localhost:${port} </dev/null | openssl x509 > FILE`,
      LATER,
    ]);
    expect(await said(`localhost:${port}`, { ca: dovecot.caPath })).toEqual([
      `localhost, port ${port}, with TLS: cannot be used`,
      '  Its certificate is self-signed, and not the one in the --ca file.',
      LATER,
    ]);
    writeFileSync(join(folder, 'self.pem'), pair.cert);
    expect(await said(`localhost:${port}`, { ca: join(folder, 'self.pem') })).toEqual([
      expect.stringContaining('with TLS: reached, certificate valid until'),
    ]);
  });

  it('that its certificate is of another authority', async () => {
    const port = dovecot.tlsPort;
    expect(await said(`localhost:${port}`)).toEqual([
      `localhost, port ${port}, with TLS: cannot be used`,
      '  Its certificate was issued by an authority that is not known here: use --ca FILE with the certificate of that authority.',
      LATER,
    ]);
    writeFileSync(join(folder, 'other.pem'), clientCertificate('other', { selfSigned: true }).cert);
    expect(await said(`localhost:${port}`, { ca: join(folder, 'other.pem') })).toContain(
      '  Its certificate was issued by another authority than the one in the --ca file.',
    );
  });

  it('that its certificate has expired, or has another name', async () => {
    const expired = await overTls(serverCertificate('localhost', -1));
    expect(await said(`localhost:${expired}`, { ca: dovecot.caPath })).toContain(
      '  Its certificate has expired: no flag helps, the server needs a new one.',
    );
    const other = await overTls(serverCertificate('mail.example.com', 2));
    expect(await said(`localhost:${other}`, { ca: dovecot.caPath })).toContain(
      '  Its certificate is for mail.example.com, not for localhost: use --server mail.example.com',
    );
    // With an address in place of the name.
    expect(await said(`127.0.0.1:${other}`, { ca: dovecot.caPath })).toContain(
      '  Its certificate is not for 127.0.0.1: use --server with the name in the certificate.',
    );
  });

  it('that its port does not begin with TLS, and which flag does', async () => {
    const { plainPort, caPath } = dovecot;
    expect(await said(`localhost:${plainPort}`, { ca: caPath })).toEqual([
      `localhost, port ${plainPort}, with TLS: cannot be used`,
      '  The port does not begin with TLS.',
      '  An IMAP server answers with STARTTLS: use --starttls.',
      LATER,
    ]);
    // Also where the certificate would be the next obstacle.
    expect(await said(`localhost:${plainPort}`)).toContain('  An IMAP server answers with STARTTLS: use --starttls.');
    const plain = await listening(createServer(imap));
    expect(await said(`localhost:${plain}`)).toContain(
      '  An IMAP server answers without TLS: use --insecure-no-tls, which sends passwords in clear.',
    );
    expect(await said(`localhost:${plain}`, { starttls: true })).toEqual([
      `localhost, port ${plain}, with STARTTLS: cannot be used`,
      '  The server does not offer STARTTLS.',
      '  An IMAP server answers without TLS: use --insecure-no-tls, which sends passwords in clear.',
      LATER,
    ]);
  });

  it('that its port begins with TLS', async () => {
    const { tlsPort, caPath } = dovecot;
    const flags: Array<[string, ServeFlags]> = [
      ['--starttls', { starttls: true, ca: caPath }],
      ['--insecure-no-tls', { insecureNoTls: true }],
    ];
    const found = flags.map(async ([flag, each]) => [flag, await said(`localhost:${tlsPort}`, each)] as const);
    for (const [flag, lines] of await Promise.all(found)) {
      expect(lines.slice(1)).toEqual([
        '  The server does not greet.',
        `  An IMAP server answers with TLS: leave ${flag} out.`,
        LATER,
      ]);
    }
  });

  it('that no process listens, that there is no answer, no such host, or something else than IMAP', async () => {
    const [closed = 0] = await freePorts(1);
    const mute = await listening(createServer((socket) => socket.on('error', () => {})));
    const rude = await listening(createServer((socket) => socket.end('* BYE go \x1b[2Jaway\r\n')));
    const [none, silent, nameless, bye] = await Promise.all([
      said(`127.0.0.1:${closed}`),
      said(`127.0.0.1:${mute}`),
      said('no-such-host.invalid'),
      said(`127.0.0.1:${rude}`, { insecureNoTls: true }),
    ]);
    expect(none).toContain('  No process listens there (ECONNREFUSED).');
    expect(silent).toContain('  There is no answer: a firewall may drop what is sent there.');
    expect(nameless).toEqual([
      'no-such-host.invalid, port 993, with TLS: cannot be used',
      expect.stringMatching(/^ {2}(?:There is no host of this name \(ENOTFOUND\)\.|.*EAI_AGAIN.*)$/),
      LATER,
    ]);
    expect(bye).toContain('  not a greeting: * BYE go ?[2Jaway');
  });
});

it('serve prints it for each server, and listens whatever the servers do', async () => {
  const mute = await listening(createServer((socket) => socket.on('error', () => {})));
  const known = ['--server', `localhost:${dovecot.tlsPort}`, '--ca', dovecot.caPath];
  const args = ['serve', ...known, '--server', `127.0.0.1:${mute}`, '--listen', '127.0.0.1:0', '--token', 't'];
  const broker = new Program(process.execPath, [builtProgram(), ...args]);
  try {
    const [, url = ''] = await broker.printed(/"urls":\["(ws:[^"]+)"\]/);
    // The banner waits for the silent server; web applications do not.
    const client = await RawClient.open(url, 't');
    expect(broker.err).toBe('');
    await client.close();
    await broker.printed(/imap-broker call session\.open/);
    expect(broker.err).toContain(`localhost, port ${dovecot.tlsPort}, with TLS: reached, certificate valid until `);
    expect(broker.err).toContain(`127.0.0.1, port ${mute}, with TLS: cannot be used\n`);
  } finally {
    await broker.stop('SIGKILL');
  }
}, 30_000);
