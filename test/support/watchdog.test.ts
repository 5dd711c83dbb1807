import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Watchdog } from './watchdog.js';

it('kills the process group that it was told last, and removes the folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-watchdog-'));
  const watchdog = new Watchdog(folder);
  const group = spawn('/bin/sh', ['-c', 'sleep 60 & sleep 60'], { detached: true, stdio: 'ignore' });
  const exit = once(group, 'exit');
  watchdog.guard(0);
  watchdog.guard(group.pid ?? 0);
  // The end of its input is what the death of this process would be to it.
  await watchdog.finish();
  expect(await exit).toEqual([null, 'SIGKILL']);
  expect(existsSync(folder)).toBe(false);
});
