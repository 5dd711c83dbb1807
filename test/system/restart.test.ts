import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { RawClient } from '../support/running-broker.js';

let dovecot: Dovecot;
let folder: string;
let running: Program[] = [];
beforeEach(async () => {
  dovecot = await Dovecot.start();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-restart-'));
}, 60_000);
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop('SIGKILL')));
  running = [];
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

function configure(name: string, session: string): string {
  const path = join(folder, `${name}.toml`);
  writeFileSync(
    path,
    `[[listener]]
unix = "${name}.sock"
[[server]]
name = "dovecot"
host = "127.0.0.1"
servername = "localhost"
port = ${dovecot.tlsPort}
ca_file = "${dovecot.caPath}"
[[tenant]]
name = "webmail"
token_hashes = ["${hashToken('one')}"]
[[tenant]]
name = "helpdesk"
token_hashes = ["${hashToken('two')}"]
[session]
${session}
`,
  );
  return path;
}

async function serve(name: string, session: string) {
  const program = new Program(process.execPath, [builtProgram(), 'serve', '--config', configure(name, session)]);
  running.push(program);
  await program.printed(/"listening"/);
  return { program, connect: (token: string) => RawClient.open(`ws+unix:${join(folder, `${name}.sock`)}`, token) };
}

const inbox = (session: string) => ['message.list', { session, mailbox: 'INBOX' }] as const;
const expired = { data: { kind: 'SESSION_EXPIRED' } };

describe('a session', () => {
  it('outlives kill -9 of its broker, opens at another with the same keys, and nowhere else', async () => {
    const first = await serve('a', 'state_dir = "."');
    const client = await first.connect('one');
    const user = newUser();
    const session = await client.login(user);
    const ended = await client.login(user);
    await client.call('session.close', { session: ended });
    first.program.child.kill('SIGKILL');
    await first.program.ended();

    const again = await (await serve('a', 'state_dir = "."')).connect('one');
    expect((await again.call(...inbox(session))).messages).toEqual([]);
    await expect(again.call(...inbox(ended))).rejects.toMatchObject(expired);
    const second = await serve('b', 'key_file = "session.keys"');
    const beside = await second.connect('one');
    expect((await beside.call(...inbox(session))).messages).toEqual([]);
    const other = await second.connect('two');
    await expect(other.call(...inbox(session))).rejects.toMatchObject(expired);
    const stranger = await (await serve('c', '')).connect('one');
    await expect(stranger.call(...inbox(session))).rejects.toMatchObject(expired);
  }, 60_000);

  it('lasts over a rotation of the keys under the running broker', async () => {
    const { connect } = await serve('a', 'state_dir = "."');
    const client = await connect('one');
    const session = await client.login(newUser());
    const rotate = ['keys', 'rotate', '--config', join(folder, 'a.toml')];
    const rotated = new Program(process.execPath, [builtProgram(), ...rotate]);
    expect(await rotated.ended(), rotated.err).toBe(0);
    const [, kid] = /sealed with the key (\S+); 2 keys/.exec(rotated.out) ?? [];
    await expect
      .poll(async () => {
        const renewed = await client.call('session.renew', { session });
        return JSON.parse(Buffer.from(renewed.session.split('.')[0] ?? '', 'base64url').toString()).kid;
      })
      .toBe(kid);
    expect((await client.call(...inbox(session))).messages).toEqual([]);
  }, 60_000);

  it('is no use when the password is another one after the restart, and asks the server once', async () => {
    const first = await serve('a', 'state_dir = "."');
    const user = newUser();
    const client = await first.connect('one');
    const session = await client.login(user);
    await first.program.stop('SIGTERM');
    await dovecot.setPassword(user, 'another');
    const again = await (await serve('a', 'state_dir = "."')).connect('one');
    for (let round = 0; round < 3; round += 1) {
      await expect(again.call(...inbox(session))).rejects.toMatchObject({ data: { kind: 'IMAP_AUTH_FAILED' } });
    }
    const failures = async () => (await dovecot.log()).match(/auth failed, 1 attempts/g)?.length ?? 0;
    await expect.poll(failures).toBe(1);
    const params = { server: 'dovecot', user, auth: { password: 'another' } };
    const opened = await again.call('session.open', params);
    expect((await again.call(...inbox(opened.session))).messages).toEqual([]);
    expect(PASSWORD).not.toBe('another');
  }, 60_000);
});
