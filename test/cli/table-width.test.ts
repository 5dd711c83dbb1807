import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { main } from '../../src/cli/main.js';
import { widthOf } from '../../src/cli/screen.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { Tmux } from '../support/tmux.js';
import { builtProgram } from './built.js';
import { runMain } from './run-main.js';

const TENANT = 'a-web-application-with-a-name-of-sixty-four-letters-as-is-allowed';
const SERVER = 'imap-of-the-whole-company.mail.europe-west.example.org';
const USER = `${'a-very-long-login-name-'.repeat(3)}of-anna@users.example.org`;
const FOLDERS = ['INBOX', '收件箱と長い名前のフォルダー', '👨‍👩‍👧 family and friends ❤️'];
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
const COMMANDS = [
  ...['status', 'accounts', 'pools', 'connections', 'sockets', 'sessions', 'watches', 'servers', 'streams', 'config'],
  `probe ${SERVER}`,
];

let folder: string;
let dovecot: Dovecot;
let broker: Broker & { url: string };
let client: RawClient;
let admin: string;
let program: string;
beforeAll(async () => {
  program = builtProgram();
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-width-'));
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, {
    name: 'broker-2.a-name-without-blanks-that-is-as-long-as-that-of-a-host.example.org',
    servers: [dovecot.server({ name: SERVER })],
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { unix: join(folder, 'admin.sock'), mode: 0o600, forOperators: true },
    ],
    tenants: [tenantWith({ name: TENANT, tokenHashes: [hashToken(TOKEN)] })],
    settings: [{ key: 'listener[0].tls_cert_file', value: `/${'a-long-path/'.repeat(20)}tls.crt`, source: 'file' }],
  });
  client = await RawClient.open(broker.url);
  admin = broker.urls[1] ?? '';
  const { session } = await client.call('session.open', { server: SERVER, user: USER, auth: { password: PASSWORD } });
  for (const mailbox of FOLDERS.slice(1)) await client.call('mailbox.create', { session, mailbox });
  await dovecot.deliver(
    USER,
    'INBOX',
    message({ subject: 'Large', attachments: [{ filename: 'a', content: Buffer.alloc(1e6) }] }),
  );
  const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX' });
  await client.call('message.source', { session, mailbox: 'INBOX', uidValidity, uid: 1 });
  await client.call('watch.start', { session, mailboxes: FOLDERS });
  await client.request('mailbox.list', { session: 'none' }).answer.catch(() => {});
}, 120_000);
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
  await rm(folder, { recursive: true });
});

/** What a command prints to a terminal. */
async function onTerminal(command: string, columns: number, colour: boolean): Promise<string> {
  let printed = '';
  const out = (text: string) => {
    printed += text;
  };
  const code = await main([...command.split(' '), '--url', admin], {
    ...{ terminal: { columns, colour }, out, err: out },
    outBytes: async () => {},
  });
  expect(code, printed).toBe(0);
  return printed;
}

it.each(COMMANDS)('%s fits into 80 columns, with and without colours', async (command) => {
  const printed = await onTerminal(command, 80, false);
  for (const line of printed.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  expect(printed).not.toContain('\x1b');
  const painted = await onTerminal(command, 80, true);
  expect(painted).toContain('\x1b[');
  for (const line of painted.replaceAll(COLOUR, '').split('\n')) {
    expect(widthOf(line), line).toBeLessThanOrEqual(80);
  }
});

it('a pipe gets each value as a whole', async () => {
  const whole = async (command: string) => (await runMain(...command.split(' '), '--url', admin)).out;
  expect(await whole('accounts')).toContain(`${TENANT}  ${SERVER}  ${USER}  `);
  expect(await whole('watches')).toContain(FOLDERS.join(', '));
  expect(await whole('config')).toContain('/a-long-path/'.repeat(1) + 'a-long-path/'.repeat(19));
  expect(await whole('status')).toMatch(/^imap-broker .* epoch [0-9a-f]{16}$/m);
});

it('a real terminal of 80 columns has a line for each row, also of names with wide letters', async () => {
  const terminal = new Tmux(80, 40);
  await terminal.shows(/shell>/);
  const command = (name: string) => `'${process.execPath}' '${program}' ${name} --url '${admin}'`;
  for (const name of ['connections', 'watches', 'status']) {
    terminal.type(`clear; ${command(name)}; echo code $?`);
    await terminal.shows(/^code 0$/m);
    expect(terminal.wraps, terminal.screen).toBe(false);
  }
  expect(terminal.screen).toMatch(/^latency +p50/m);
  terminal.type(`clear; ${command('watches')}`);
  await terminal.shows(/^TENANT .* LAST EVENT$/m);
  await terminal.shows(/^\S+…\S+ +\S+…\S+ +\S+…\S+ +yes +INBOX….* +1 +0$/m);
}, 30_000);
