import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogOutput } from '../../src/runtime/log/log-output.js';

let folder: string;
let pipe: number;
beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-log-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
});
afterEach(() => {
  vi.useRealTimers();
  closeSync(pipe);
  rmSync(folder, { recursive: true, force: true });
});

/** What the pipe has now. */
function readAll(): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(65_536);
    try {
      parts.push(part.subarray(0, readSync(pipe, part)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return Buffer.concat(parts);
    }
  }
}

it('dropped lines are told when there is room again, although no line comes after them', () => {
  const output = new LogOutput(pipe);
  // Fewer characters than may wait, and more bytes.
  const long = `${'€'.repeat(3_000_000)}\n`;
  output.write(long);
  output.write('a line\n');
  const read: Buffer[] = [];
  while (vi.getTimerCount() > 0) {
    read.push(readAll());
    vi.advanceTimersByTime(100);
  }
  read.push(readAll());
  const text = Buffer.concat(read).toString();
  expect(text.startsWith(long)).toBe(true);
  expect(JSON.parse(text.slice(long.length))).toMatchObject({ level: 'warn', dropped: 1 });
});
