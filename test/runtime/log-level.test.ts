import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogLevelControl } from '../../src/runtime/log/log-level.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a level for a while ends as what is configured then', () => {
  const log = { level: 'info' };
  const control = new LogLevelControl(log);
  expect(control.set('debug', 1_000)).toBe('info');
  control.configure('warn');
  expect(log.level).toBe('debug');
  vi.advanceTimersByTime(1_000);
  expect(log.level).toBe('warn');
});

it('a level without an end holds until the configuration is read again', () => {
  const log = { level: 'info' };
  const control = new LogLevelControl(log);
  control.set('debug', 1_000);
  control.set('trace');
  vi.advanceTimersByTime(1_000);
  expect(log.level).toBe('trace');
  control.configure('info');
  expect(log.level).toBe('info');
});
