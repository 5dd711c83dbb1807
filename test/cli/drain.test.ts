import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { hashToken } from '../../src/session/tenants.js';
import { newUser } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { RawClient } from '../support/running-broker.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';
import { runMain } from './run-main.js';

let program: string;
beforeAll(() => {
  program = builtProgram();
}, 120_000);

let operated: OperatedBroker;
beforeEach(async () => {
  operated = await OperatedBroker.start();
});
afterEach(() => operated.stop());

/** A request that is under way until it is released: its account is paused. */
async function held(): Promise<{ answer: Promise<unknown>; release(): void }> {
  const user = newUser('draining');
  const session = await operated.client.login(user);
  await operated.run('pause', '--user', user);
  const answer = operated.client.call('mailbox.list', { session });
  await operated.client.call('broker.ping', {});
  return { answer, release: () => operated.broker.registry.resume({}) };
}

/** Resolves with the params of the next notification of this name. */
function notified(method: string): Promise<unknown> {
  return new Promise((resolve) =>
    operated.client.onNotification((frame) => {
      if (frame.method === method) resolve(frame.params);
    }),
  );
}

describe('imap-broker drain', () => {
  it('has applications refused while running requests finish, and shows what is left until the end', async () => {
    const { answer, release } = await held();
    const told = notified('broker.draining');
    const draining = operated.run('drain', '--grace', '30', '--wait');
    expect(await told).toEqual({ graceMs: 30_000 });
    const late = operated.client.call('broker.ping', {});
    await expect(late).rejects.toMatchObject({ data: { kind: 'DRAINING', executed: 'no' } });
    await expect(RawClient.open(operated.broker.url)).rejects.toThrow('ECONNREFUSED');
    expect((await operated.run('status')).out).toMatch(/^imap-broker \S+ {2}\S+ {2}draining {2}up /);
    // Another operator may still come and look; asking to drain again changes nothing.
    expect((await operated.run('drain')).out).toMatch(/^left: 1 request, 0 streams, 1 socket, 0 connections; /);
    release();
    const { code, out } = await draining;
    expect(code).toBe(0);
    expect(out).toMatch(/^left: 1 request, 0 streams, 1 socket, 0 connections; at most 30 s\n(left: .*\n)*stopped\n$/);
    expect(await answer).toMatchObject({ mailboxes: expect.any(Array) });
  });

  it('answers who asked for it also where nothing is left to wait for', async () => {
    await operated.client.close();
    const nothing = 'left: 0 requests, 0 streams, 0 sockets, 0 connections; at most 20 s\n';
    expect(await operated.run('drain')).toEqual({ code: 0, out: nothing, err: '' });
  });

  it('ends what is not done in time, and tells each change as a line of JSON', async () => {
    const { answer } = await held();
    const ended = expect(answer).rejects.toMatchObject({ data: { kind: 'DRAINING', executed: 'no' } });
    const { code, out } = await operated.run('drain', '--grace', '0.1', '--wait', '--json');
    await ended;
    const lines = out.trimEnd().split('\n');
    expect([code, JSON.parse(lines[0] ?? '')]).toEqual([0, expect.objectContaining({ draining: true, requests: 1 })]);
    expect(lines.at(-1)).toBe('{"stopped":true}');
  });

  it('refuses a time that is none, and whoever is no operator', async () => {
    expect(await operated.run('drain', '--grace', '601')).toMatchObject({
      code: 2,
      err: expect.stringContaining('It must be a number of seconds from 0 to 600.'),
    });
    const file = join(operated.folder, 'token');
    writeFileSync(file, 'a-bearer-token-for-tests');
    const { code, err } = await runMain('drain', '--url', operated.broker.url, '--token-file', file);
    expect([code, err]).toEqual([1, expect.stringContaining('FORBIDDEN: broker.drain needs the scope "admin"')]);
  });

  it('ends the process with exit code 0', async () => {
    const config = join(operated.folder, 'config.toml');
    const port = operated.dovecot.plainPort;
    writeFileSync(
      config,
      `admin = { socket = "own.sock" }
listener = [{ host = "127.0.0.1", port = 0 }]
server = [{ name = "dovecot", host = "127.0.0.1", port = ${port}, tls = "none" }]
tenant = [{ name = "webmail", token_hashes = ["${hashToken('t')}"] }]
`,
    );
    const broker = new Program(process.execPath, [program, 'serve', '--config', config]);
    onTestFinished(() => void broker.child.kill('SIGKILL'));
    await broker.printed(/listening/);
    await runMain('drain', '--url', `unix:${join(operated.folder, 'own.sock')}`);
    expect(await broker.ended()).toBe(0);
    expect(broker.out).toMatch(/"operator":"admin socket"[^\n]*done by an operator[\s\S]*"msg":"stopped"/);
  });

  it('writes its progress into one line of a terminal', async () => {
    const { release } = await held();
    const name = `drain-${process.pid}`;
    const tmux = (...args: string[]) => execFileSync('tmux', ['-L', name, ...args], { encoding: 'utf8' });
    const command = `${process.execPath} ${program} drain --wait --grace 60 --url ${operated.broker.urls[1]}; echo $?.`;
    tmux('new-session', '-d', '-x', '80', '-y', '10', `${command}; read -r line`);
    const screen = async (pattern: RegExp) => {
      for (;;) {
        const text = tmux('capture-pane', '-p').trimEnd();
        if (pattern.test(text)) return text;
        await sleep(50);
      }
    };
    try {
      const first = await screen(/^left: 1 request, .*; at most 60 s$/);
      await screen(/at most 5\d s$/);
      expect(first.split('\n')).toHaveLength(1);
      release();
      expect(await screen(/\d\.$/)).toBe('stopped\n0.');
    } finally {
      tmux('kill-server');
    }
  });
});
