import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../src/session/key-ring.js';
import { unseal } from '../../src/session/seal.js';
import { newUser } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { RawClient } from '../support/running-broker.js';

let operated: OperatedBroker;
beforeAll(async () => {
  operated = await OperatedBroker.start();
});
afterAll(() => operated.stop());

/** What a settled promise of an answer says. */
async function outcome(answer: Promise<unknown>): Promise<unknown> {
  return await answer.then(
    () => 'ok',
    (error: { data?: { kind: string } }) => error.data?.kind ?? error,
  );
}

describe('imap-broker pause', () => {
  it('logs connections out after their work and has requests wait until resume', async () => {
    const user = newUser('paused');
    const session = await operated.client.login(user);
    const busy = await operated.work(user);
    const pausing = operated.run('pause', '--user', user);
    const waiting = operated.client.call('mailbox.list', { session });
    await operated.client.call('broker.ping', {});
    busy.release();
    const { code, out } = await pausing;
    expect([code, out]).toEqual([0, `paused: user ${user}; 1 account in use, no connection is left\n`]);
    expect((await operated.dovecot.who()).get(user)).toBeUndefined();
    expect(await operated.run('resume', '--user', user)).toMatchObject({ code: 0, out: `resumed: user ${user}\n` });
    expect(await outcome(waiting)).toBe('ok');
  });

  it('is bounded by the deadline of each request, and leaves other accounts alone', async () => {
    const [held, free] = [newUser('held'), newUser('free')];
    const [session, other] = [await operated.client.login(held), await operated.client.login(free)];
    await operated.run('pause', '--tenant', 'webmail', '--server', 'dovecot', '--user', held);
    const late = operated.client.call('mailbox.list', { session, timeoutMs: 50 });
    expect(await outcome(late)).toBe('DEADLINE');
    expect(await outcome(operated.client.call('mailbox.list', { session: other }))).toBe('ok');
    await operated.run('resume');
    expect(await outcome(operated.client.call('mailbox.list', { session }))).toBe('ok');
  });

  it('has logins wait as well, and tells as JSON what is paused', async () => {
    const { code, out } = await operated.run('pause', '--server', 'dovecot', '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      { accounts: expect.any(Number), connections: 0, paused: [{ server: 'dovecot' }] },
    ]);
    const opening = operated.client.login(newUser('later'));
    await operated.client.call('broker.ping', {});
    await operated.run('resume', '--server', 'dovecot');
    expect(await opening).toEqual(expect.any(String));
  });

  it('refuses names that are not there, and to resume what is not paused', async () => {
    expect(await operated.run('pause', '--server', 'dovecott')).toEqual({
      code: 1,
      out: '',
      err: 'imap-broker: NOT_FOUND: server: no IMAP server "dovecott" is configured.\n',
    });
    expect((await operated.run('pause', '--tenant', 'nobody')).err).toContain('there is no application "nobody"');
    expect((await operated.run('resume')).err).toBe('imap-broker: NOT_FOUND: There is no such pause.\n');
    await operated.run('pause', '--server', 'dovecot');
    expect((await operated.run('resume', '--user', 'anna')).err).toContain('has another name or is more than that');
    await operated.run('resume');
  });
});

describe('imap-broker reconnect', () => {
  it('replaces connections after their current work, without a request that fails', async () => {
    const user = newUser('replaced');
    const session = await operated.client.login(user);
    const busy = await operated.work(user);
    const { code, out } = await operated.run('reconnect', '--user', user);
    expect([code, out]).toEqual([0, '1 connection of 1 account will be replaced\n']);
    busy.release();
    expect(await busy.ended).toBe(busy.id);
    const answer = await operated.client.call('mailbox.list', { session, explain: true });
    expect(answer.explain?.connection).not.toBe(busy.id);
  });

  it('refuses a server that is not there', async () => {
    expect(await operated.run('reconnect', '--server', 'x')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/NOT_FOUND/),
    });
  });
});

describe('imap-broker kick', () => {
  it('account: ends its connections and what they do at once; the session goes on', async () => {
    const user = newUser('kicked');
    const session = await operated.client.login(user);
    const busy = await operated.work(user);
    const { code, out } = await operated.run('kick', 'account', 'webmail', 'dovecot', user);
    expect([code, out]).toEqual([0, '1 connection ended, 1 request cancelled\n']);
    await expect(busy.ended).rejects.toMatchObject({ kind: 'CANCELLED', executed: 'no' });
    expect(await outcome(operated.client.call('mailbox.list', { session }))).toBe('ok');
  });

  it('account: refuses one that is not in use', async () => {
    expect(await operated.run('kick', 'account', 'webmail', 'dovecot', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: 'imap-broker: NOT_FOUND: user: "nobody" has no account in use at that server.\n',
    });
  });

  it('socket: closes it with a code that says why, and refuses one that is not there', async () => {
    const closed = once(operated.client.ws, 'close');
    // The first of all sockets is that of the test itself.
    expect(await operated.run('kick', 'socket', 'socket-1')).toMatchObject({ out: 'closed socket-1 of webmail\n' });
    expect((await closed)[0]).toBe(4410);
    operated.client = await RawClient.open(operated.broker.url);
    const { code, err } = await operated.run('kick', 'socket', 'socket-999');
    expect([code, err]).toEqual([1, 'imap-broker: NOT_FOUND: socket: there is no socket "socket-999".\n']);
  });

  it('session: its token is void, the one of another session is not; refuses one that is not there', async () => {
    const user = newUser('ended');
    const [ended, other] = [await operated.client.login(user), await operated.client.login(user)];
    const unsealed = await unseal(KeyRing.ofFile(operated.keyFile, { create: false }), ended);
    const { id = '' } = unsealed?.session ?? {};
    const { code, out } = await operated.run('kick', 'session', id);
    expect([code, out]).toEqual([0, `ended a session of ${user} on dovecot, of webmail\n`]);
    expect(await outcome(operated.client.call('mailbox.list', { session: ended }))).toBe('SESSION_EXPIRED');
    expect(await outcome(operated.client.call('mailbox.list', { session: other }))).toBe('ok');
    expect(await operated.run('kick', 'session', id)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no session ".*" is in use/),
    });
  });
});

describe('what operators see of what they do', () => {
  const json = async (...args: string[]) => JSON.parse((await operated.run(...args, '--json')).out);

  it('are ids that kick takes as they are', async () => {
    const user = newUser('listed');
    const token = await operated.client.login(user);
    const { sessions } = await json('sessions', '--user', user);
    const kicked = await operated.run('kick', 'session', sessions[0].id);
    expect(kicked).toMatchObject({ code: 0, out: `ended a session of ${user} on dovecot, of webmail\n` });
    expect(await outcome(operated.client.call('mailbox.list', { session: token }))).toBe('SESSION_EXPIRED');
    const another = await RawClient.open(operated.broker.url);
    const { sockets } = await json('sockets', '--tenant', 'webmail');
    const id = sockets.at(-1).id;
    const closed = once(another.ws, 'close');
    expect(await operated.run('kick', 'socket', id)).toMatchObject({ code: 0, out: `closed ${id} of webmail\n` });
    expect((await closed)[0]).toBe(4410);
    const left = (await json('sockets', '--tenant', 'webmail')).sockets.map((one: { id: string }) => one.id);
    expect(left).not.toContain(id);
  });

  it('is paused in status and in accounts, until it is resumed', async () => {
    const [held, free] = [newUser('held'), newUser('free')];
    for (const user of [held, free]) await operated.client.login(user);
    const accounts = async () => {
      const answers = [held, free].map((user) => json('accounts', '--user', user));
      return (await Promise.all(answers)).flatMap((answer) =>
        answer.accounts.map((one: { paused: boolean }) => one.paused),
      );
    };
    await operated.run('pause', '--user', held);
    expect((await operated.run('status')).out).toContain(`\npaused       user ${held}\n`);
    expect(await json('status')).toMatchObject({ paused: [{ user: held }] });
    expect(await accounts()).toEqual([true, false]);
    await operated.run('resume');
    expect(await json('status')).toMatchObject({ paused: [] });
    expect(await accounts()).toEqual([false, false]);
  });
});

describe('imap-broker session revoke', () => {
  it('ends all sessions of a user, and refuses an application that is not there', async () => {
    const user = newUser('revoked');
    const session = await operated.client.login(user);
    expect(await operated.run('session', 'revoke', 'webmail', user)).toMatchObject({
      code: 0,
      out: 'revoked; 1 account logged out\n',
    });
    expect(await outcome(operated.client.call('mailbox.list', { session }))).toBe('SESSION_EXPIRED');
    expect(await operated.run('session', 'revoke', 'webmall')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/NOT_FOUND/),
    });
  });
});

describe('imap-broker log-level', () => {
  it('holds until a reload, or for a while', async () => {
    expect(await operated.run('log-level', 'warn')).toMatchObject({
      code: 0,
      out: 'log level: warn, until a reload; was info\n',
    });
    const { out } = await operated.run('log-level', 'info', '--for', '60', '--json');
    expect(JSON.parse(out)).toEqual({ level: 'info', before: 'warn' });
  });

  it('refuses a level that is none', async () => {
    const { code, err } = await operated.run('log-level', 'loud');
    expect([code, err]).toEqual([2, expect.stringContaining("'loud' is invalid")]);
    expect((await operated.run('log-level', 'info', '--for', '0')).err).toContain('a number of seconds up to 86400');
  });
});

describe('imap-broker keys rotate', () => {
  it('at the broker seals new tokens with a new key at once, and the old one still opens tokens', async () => {
    const user = newUser('keyed');
    const before = await operated.client.login(user);
    const { code, out } = await operated.run('keys', 'rotate');
    const [, id = ''] = /^new tokens are sealed with the key (\S+); 2 keys open tokens\.\n$/.exec(out) ?? [];
    expect(code).toBe(0);
    const header = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    expect(header(await operated.client.login(user)).kid).toBe(id);
    expect(await outcome(operated.client.call('mailbox.list', { session: before }))).toBe('ok');
  });

  it('is refused with the reason where the file cannot be used', async () => {
    chmodSync(operated.keyFile, 0o644);
    const { code, err } = await operated.run('keys', 'rotate');
    expect([code, err]).toEqual([1, expect.stringMatching(/FORBIDDEN: The broker .*chmod 600/)]);
    chmodSync(operated.keyFile, 0o600);
  });
});

it('each deed is in the log with who did it', async () => {
  await operated.run('pause', '--user', 'somebody');
  await operated.run('resume');
  expect(operated.logged).toContainEqual(
    expect.objectContaining({ level: 'info', method: 'broker.pause', operator: 'admin socket', user: 'somebody' }),
  );
});
