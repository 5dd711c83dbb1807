import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { Tmux } from '../support/tmux.js';
import { builtProgram } from './built.js';
import { runMain } from './run-main.js';

let folder: string;
let dovecot: Dovecot;
let broker: Broker & { url: string };
let client: RawClient;
let command: string;
const anna = newUser('anna');
const berta = newUser('berta');
beforeAll(async () => {
  const program = builtProgram();
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-top-'));
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { unix: join(folder, 'admin.sock'), mode: 0o600, forOperators: true },
    ],
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] })],
  });
  client = await RawClient.open(broker.url);
  await client.login(anna);
  await client.login(berta);
  await client.login(berta);
  command = `'${process.execPath}' '${program}' top --url '${broker.urls[1]}'`;
}, 120_000);
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
  await rm(folder, { recursive: true });
});

/** Users in the order of the screen. */
function users(screen: string): string[] {
  return [...screen.matchAll(/^webmail +dovecot +(\S+)/gm)].map(([, user = '']) => user);
}

/** A terminal in which the command runs. */
async function running(): Promise<Tmux> {
  const terminal = new Tmux();
  await terminal.shows(/shell>/);
  terminal.type('echo was here');
  await terminal.shows(/^was here$/m);
  terminal.type(command);
  await terminal.shows(/q quit/);
  return terminal;
}

/** The shell has its terminal back, with what was on it. */
async function isRestored(terminal: Tmux): Promise<void> {
  await terminal.shows(/^was here$[\s\S]*shell> *$/m);
  expect(terminal.isAsBefore).toBe(true);
  terminal.type('stty -a');
  await terminal.shows(/(?<!-)icanon/);
  expect(terminal.screen).toMatch(/ echo /);
}

describe('imap-broker top', () => {
  it('shows the broker and its accounts, live', async () => {
    const terminal = await running();
    expect(terminal.screen).toMatch(/^imap-broker \S+ {2}\S+ {2}running/);
    expect(terminal.screen).toMatch(/^caps +sockets 2 of 1000 {2}connections 2 of 1000/m);
    expect(users(terminal.screen)).toEqual([berta, anna]);
    expect(terminal.screen).toMatch(/^2 accounts {2}q quit {2}sort: {2}\[r requests\] {2}l latency/m);
    expect(terminal.screen).toMatch(/^latency +p50 [\d.]+m?s {2}p95 [\d.]+m?s {2}p99 [\d.]+m?s/m);
    expect(terminal.screen).toMatch(new RegExp(`^webmail +dovecot +${anna} +0\\.0\\d( +[\\d.]+m?s){3} `, 'm'));
    const carla = newUser('carla');
    const session = await client.login(carla);
    await terminal.shows(new RegExp(carla));
    await client.call('session.close', { session });
    await expect.poll(() => users(terminal.screen)).toEqual([berta, anna]);
  });

  it('is sorted by what a key says', async () => {
    const terminal = await running();
    terminal.press('s');
    await terminal.shows(/\[s sessions\]/);
    expect(users(terminal.screen)).toEqual([berta, anna]);
    terminal.press('Up', 'o', 'Down');
    await terminal.shows(/\[o oldest\]/);
    expect(users(terminal.screen)).toEqual([anna, berta]);
  });

  it('fits into the terminal, also when that changes', async () => {
    const terminal = await running();
    terminal.resize(60, 8);
    await expect.poll(() => terminal.screen.trimEnd().split('\n').length).toBe(8);
    await terminal.shows(/\n2 accounts {2}q quit {2}sort: {2}\[r requests\] [^\n]*\n[^\n]* {2}o oldest\n*$/);
    expect(terminal.screen.split('\n').every((line) => line.length <= 60)).toBe(true);
    terminal.resize(120, 40);
    await terminal.shows(/2 accounts/);
    await expect.poll(() => terminal.screen.trimEnd().split('\n').length).toBe(40);
    expect(users(terminal.screen)).toEqual([berta, anna]);
  });

  it('shows what an account does also where its name is long and the terminal narrow', async () => {
    const long = `${'long-'.repeat(12)}name@example.com`;
    const session = await client.login(long);
    const terminal = await running();
    expect(terminal.screen).toMatch(/^TENANT .* WATCHES +VIEWS$/m);
    terminal.resize(80, 24);
    await terminal.shows(/^TENANT +SERVER +USER +REQ\/S +P50 +P95 +P99 +BUSY[ A-Z]*$/m);
    expect(terminal.screen).toMatch(/^webmail +dovecot +long-\S*…\S*\.com +0\.0\d( +[\d.]+m?s){3} +0[ \d]*$/m);
    terminal.resize(60, 16);
    await terminal.shows(/^TENANT +SERVER +USER +REQ\/S +P50 +P95 +P99( +BUSY)?$/m);
    expect(terminal.wraps).toBe(false);
    terminal.resize(200, 30);
    await terminal.shows(new RegExp(`${long} +0\\.0\\d( +[\\d.]+m?s){3} +0 +0 +1 +0 +1 +0 `));
    await client.call('session.close', { session });
  });

  it.each(['q', 'C-c'])('leaves the terminal as it was after %s', async (key) => {
    const terminal = await running();
    terminal.press(key);
    await isRestored(terminal);
    terminal.type('clear; echo code $?');
    await terminal.shows(/^code 0$/m);
  });

  it('leaves the terminal as it was after SIGTERM', async () => {
    const terminal = new Tmux();
    await terminal.shows(/shell>/);
    terminal.type('echo was here');
    await terminal.shows(/^was here$/m);
    terminal.type(`${command} & echo $! > '${folder}/pid'; fg >/dev/null`);
    await terminal.shows(/q quit/);
    new Tmux().type(`kill $(cat '${folder}/pid')`);
    await isRestored(terminal);
  });

  it('says so, and leaves the terminal as it was, when the broker is gone', async () => {
    const own = await runBroker(dovecot, {
      listeners: [{ unix: join(folder, 'gone.sock'), mode: 0o600, forOperators: true }],
    });
    const terminal = new Tmux();
    await terminal.shows(/shell>/);
    terminal.type('echo was here');
    await terminal.shows(/^was here$/m);
    terminal.type(command.replace('admin.sock', 'gone.sock'));
    await terminal.shows(/q quit/);
    await own.stop();
    await terminal.shows(/imap-broker: DEADLINE: No socket to the broker at unix:/);
    await isRestored(terminal);
  });

  it('is refused without a terminal, as JSON, and to who is no operator', async () => {
    const admin = broker.urls[1] ?? '';
    const refused = { code: 2, out: '' };
    expect(await runMain('top', '--url', admin)).toEqual({ ...refused, err: 'imap-broker: top needs a terminal.\n' });
    expect(await runMain('top', '--url', admin, '--json')).toEqual({
      ...refused,
      err: "error: unknown option '--json'\n",
    });
    const token = join(folder, 'token');
    await writeFile(token, TOKEN);
    const terminal = new Tmux();
    await terminal.shows(/shell>/);
    terminal.type(command.replace(/--url .*/, `--url ${broker.url} --token-file '${token}'`));
    await terminal.shows(/FORBIDDEN: broker\.status needs the scope "admin"/);
    expect(terminal.isAsBefore).toBe(true);
  });
});
