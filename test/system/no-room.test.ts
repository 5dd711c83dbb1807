import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtProgram } from '../cli/built.js';
import { runMain } from '../cli/run-main.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import type { RawClient } from '../support/running-broker.js';
import { ServedProgram } from '../support/served-program.js';

let dovecot: Dovecot;
beforeAll(async () => {
  builtProgram();
  dovecot = await Dovecot.start();
}, 120_000);
afterAll(() => dovecot.stop());

let served: ServedProgram;
beforeEach(() => {
  served = new ServedProgram(dovecot);
});
afterEach(() => served.end());

/** Bounds a running process as a full disk, or the number of its descriptors, would. */
const bound = (limit: string) => execFileSync('prlimit', ['--pid', String(served.pid), limit]);
const inbox = (session: string) => ['message.list', { session, mailbox: 'INBOX' }] as const;
const expired = { data: { kind: 'SESSION_EXPIRED' } };

async function logins(client: RawClient, count: number): Promise<{ user: string; session: string }[]> {
  const users = Array.from({ length: count }, () => newUser('room'));
  return Promise.all(users.map(async (user) => ({ user, session: await client.login(user) })));
}

/** Ends three sessions in the three ways there are. @returns what each said of its lasting */
async function endThree(client: RawClient, sessions: { user: string; session: string }[]): Promise<boolean[]> {
  const [closed, revoked, kicked] = sessions.map((one) => one);
  const { session = '' } = closed ?? {};
  const lasting = [(await client.call('session.close', { session })).lasts];
  const { user = '' } = revoked ?? {};
  const { accounts, lasts } = await client.call('session.revoke', { tenant: 'webmail', user });
  expect(accounts).toBe(1);
  lasting.push(lasts);
  const { sessions: seen } = await client.call('session.list', { user: kicked?.user });
  lasting.push((await client.call('session.kick', { id: seen[0]?.id ?? '' })).lasts);
  for (const { session: ended } of sessions) await expect(client.call(...inbox(ended))).rejects.toMatchObject(expired);
  return lasting;
}

describe('on a full disk', () => {
  it('close, revoke and kick end sessions and their connections, say that it does not last, and last once it does', async () => {
    await served.start();
    const client = await served.connect();
    const sessions = await logins(client, 3);
    bound('--fsize=0:');
    expect(await endThree(client, sessions)).toEqual([false, false, false]);
    const names = sessions.map(({ user }) => user);
    await expect.poll(async () => [...(await dovecot.who()).keys()].filter((user) => names.includes(user))).toEqual([]);
    expect(await runMain('session', 'revoke', 'webmail', '--url', `unix:${join(served.folder, 'admin.sock')}`)).toEqual(
      {
        code: 0,
        err: '',
        out: 'revoked; 0 accounts logged out\nnot on the disk yet: until the broker can write its list, this ends with a restart\n',
      },
    );
    bound('--fsize=unlimited:');
    await served.program.printed(/"msg":"the list of ended sessions is written again"/);
    await served.program.stop('SIGKILL');
    await served.start();
    const again = await served.connect();
    for (const { session } of sessions) await expect(again.call(...inbox(session))).rejects.toMatchObject(expired);
  }, 60_000);

  it('a broker that has its files starts, and what was ended before stays so', async () => {
    await served.start();
    const client = await served.connect();
    const [ended, other] = await logins(client, 2);
    await client.call('session.close', { session: ended?.session ?? '' });
    await served.program.stop();
    await served.start('prlimit', '--fsize=0');
    const again = await served.connect();
    await expect(again.call(...inbox(ended?.session ?? ''))).rejects.toMatchObject(expired);
    expect((await again.call(...inbox(other?.session ?? ''))).messages).toEqual([]);
  }, 60_000);

  it('a first start leaves no key file that stops a later one', async () => {
    const first = served.launch('prlimit', '--fsize=0');
    expect(await first.ended()).not.toBe(0);
    expect(first.err).toContain('cannot make the key file');
    expect(readdirSync(served.folder).filter((name) => name.includes('session.keys'))).toEqual([]);
    await served.start();
    await (await served.connect()).login(newUser('room'));
  }, 60_000);
});

describe('without a free descriptor', () => {
  it('close, revoke and kick end sessions and their connections, and that lasts', async () => {
    await served.start();
    const client = await served.connect();
    await client.call('broker.status', {});
    const sessions = await logins(client, 3);
    const [one, two, three] = sessions;
    const { sessions: seen } = await client.call('session.list', { user: three?.user });
    const open = readdirSync(`/proc/${served.pid}/fd`).length;
    bound(`--nofile=${open}:${open}`);
    expect(await client.call('session.close', { session: one?.session ?? '' })).toEqual({
      closed: true,
      lasts: true,
      everywhere: null,
    });
    const revoked = await client.call('session.revoke', { tenant: 'webmail', user: two?.user });
    expect(revoked).toEqual({ accounts: 1, lasts: true, everywhere: null });
    expect(await client.call('session.kick', { id: seen[0]?.id ?? '' })).toMatchObject({ lasts: true });
    const names = sessions.map(({ user }) => user);
    await expect.poll(async () => [...(await dovecot.who()).keys()].filter((user) => names.includes(user))).toEqual([]);
    await served.program.stop('SIGKILL');
    await served.start();
    const again = await served.connect();
    for (const { session } of sessions) await expect(again.call(...inbox(session))).rejects.toMatchObject(expired);
  }, 60_000);
});
