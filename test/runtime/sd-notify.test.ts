import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceManager } from '../../src/runtime/sd-notify.js';
import { NotifySocket } from '../support/notify-socket.js';

const log = pino({ level: 'silent' });
let folder: string;
let socket: NotifySocket;
let manager: ServiceManager;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-notify-'));
  socket = await NotifySocket.open(join(folder, 'notify'));
});
afterEach(async () => {
  manager.dispose();
  await socket.close();
  await rm(folder, { recursive: true });
});

function managerOf(env: Record<string, string> = {}): ServiceManager {
  manager = new ServiceManager(log, { NOTIFY_SOCKET: socket.path, ...env });
  return manager;
}

/** Processes whose parent is this one. */
function children(): number[] {
  const tasks = readdirSync('/proc/self/task');
  return tasks.flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

describe('the service manager', () => {
  it('is told what the broker does, each in one message of one sender', async () => {
    managerOf().ready('listening at unix:/run/a.sock,\nand elsewhere');
    const ready = await socket.next('READY=1');
    expect(ready.lines).toEqual(['READY=1', 'STATUS=listening at unix:/run/a.sock, and elsewhere']);
    manager.reloading();
    expect((await socket.next('RELOADING=1')).lines).toEqual(['RELOADING=1', 'STATUS=reloading the configuration']);
    manager.stopping('draining', 20_000.5);
    expect((await socket.next('STOPPING=1')).lines).toEqual([
      'STOPPING=1',
      'STATUS=draining',
      'EXTEND_TIMEOUT_USEC=20000500',
    ]);
  });

  it('is found by a name of the abstract namespace', async () => {
    const abstract = await NotifySocket.open(`@imap-broker-test-${randomUUID()}`);
    managerOf({ NOTIFY_SOCKET: abstract.path }).ready('here');
    expect((await abstract.next('READY=1')).lines).toContain('STATUS=here');
    await abstract.close();
  });

  it('is fed by the event loop, and hungry while that stands still', async () => {
    managerOf({ WATCHDOG_USEC: '300000' }).ready('here');
    await socket.next('WATCHDOG=1');
    // Notices arrive in the order in which they were sent, but late on a busy machine.
    manager.reloading();
    const sent = Date.now();
    await socket.next('RELOADING=1');
    const lateMs = Date.now() - sent;
    const from = Date.now();
    while (Date.now() < from + 1500);
    await socket.next('WATCHDOG=1');
    manager.stopping('counted', 0);
    await socket.next('STOPPING=1');
    const lines = socket.notices.map(({ lines: [first] }) => first);
    const beats = lines.slice(lines.lastIndexOf('RELOADING=1'), lines.lastIndexOf('STOPPING=1'));
    // Each 100 ms, had the event loop been left alone.
    expect(beats.filter((line) => line === 'WATCHDOG=1').length).toBeLessThan(lateMs / 100 + 8);
  });

  it('is not fed where the watchdog is another process’s', async () => {
    managerOf({ WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' }).ready('here');
    manager.stopping('end', 0);
    await socket.next('STOPPING=1');
    expect(socket.notices.flatMap(({ lines }) => lines)).not.toContain('WATCHDOG=1');
  });

  it('is told by another sender when the first one was killed', async () => {
    const before = children();
    managerOf().ready('first');
    await socket.next('READY=1');
    const [sender] = children().filter((pid) => !before.includes(pid));
    if (sender === undefined) throw new Error('There is no sender to kill.');
    process.kill(sender, 'SIGKILL');
    await expect.poll(() => children().includes(sender)).toBe(false);
    manager.ready('second');
    expect((await socket.next('READY=1')).lines).toContain('STATUS=second');
  });

  it('costs no process where there is none', () => {
    const before = children();
    manager = new ServiceManager(log, {});
    manager.ready('alone');
    expect(children()).toEqual(before);
  });
});
