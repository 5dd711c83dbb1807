import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotifySocket } from '../support/notify-socket.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';
import { runMain } from './run-main.js';
import { SMALL_CONFIG } from './small-config.js';

let program: string;
beforeAll(() => {
  program = builtProgram();
}, 120_000);

let folder: string;
let manager: NotifySocket;
let broker: Program;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-managed-'));
  manager = await NotifySocket.open(join(folder, 'notify'));
  const config = join(folder, 'config.toml');
  writeFileSync(config, SMALL_CONFIG);
  broker = new Program(process.execPath, [program, 'serve', '--config', config], {
    env: { NOTIFY_SOCKET: manager.path },
  });
  await manager.next('READY=1');
});
afterEach(async () => {
  await broker.stop('SIGKILL');
  await manager.close();
  rmSync(folder, { recursive: true });
});

/** Milliseconds for closing, which come to those of the drain. */
const CLOSING_MS = 15_000;
const extended = (drainMs: number) => `EXTEND_TIMEOUT_USEC=${(drainMs + CLOSING_MS) * 1000}`;

describe('a broker under a service manager', () => {
  it('asks for as long as the operator has said that a drain may take', async () => {
    await runMain('drain', '--grace', '123', '--url', `unix:${join(folder, 'admin.sock')}`);
    expect((await manager.next('STOPPING=1')).lines).toContain(extended(123_000));
    expect(await broker.ended()).toBe(0);
  });

  it('asks for the drain_seconds that hold when it is told to end', async () => {
    writeFileSync(join(folder, 'config.toml'), `${SMALL_CONFIG}[limits]\ndrain_seconds = 45\n`);
    broker.child.kill('SIGHUP');
    await manager.next('RELOADING=1');
    await manager.next('READY=1');
    broker.child.kill('SIGTERM');
    expect((await manager.next('STOPPING=1')).lines).toContain(extended(45_000));
    expect(await broker.ended()).toBe(0);
  });

  it('is ready again after a reload of a bad file, which changes nothing', async () => {
    writeFileSync(join(folder, 'config.toml'), `${SMALL_CONFIG}[limits]\ndrain_seconds = -1\n`);
    broker.child.kill('SIGHUP');
    await manager.next('RELOADING=1');
    expect((await manager.next('READY=1')).lines[1]).toMatch(/^STATUS=listening at /);
    await broker.printed(/config\.toml: line \d+: limits\.drain_seconds: .*"msg":"not reloaded"/);
  });
});
