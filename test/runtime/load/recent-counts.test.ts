import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecentCounts } from '../../../src/runtime/load/recent-counts.js';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('counts of each kind what happened within the span, and forgets what is older', () => {
  const recent = new RecentCounts(10_000, 10);
  recent.add('a');
  vi.advanceTimersByTime(5_000);
  recent.add('a');
  recent.add('b');
  expect([...recent.counts]).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  expect([...recent.within(5_000)]).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
  vi.advanceTimersByTime(5_000);
  expect([...recent.counts]).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
  vi.advanceTimersByTime(60_000);
  expect(recent.counts.size).toBe(0);
});
