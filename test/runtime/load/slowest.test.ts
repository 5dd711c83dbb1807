import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Slowest } from '../../../src/runtime/load/slowest.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('keeps the slowest, the slowest first, and makes nothing of the others', () => {
  const slowest = new Slowest<{ ms: number }>(3, 5_000, 5);
  let made = 0;
  for (const ms of [5, 1, 9, 9, 7, 2, 3]) {
    slowest.add(ms, () => {
      made += 1;
      return { ms };
    });
  }
  expect(slowest.all).toEqual([{ ms: 9 }, { ms: 9 }, { ms: 7 }]);
  expect(made).toBe(5);
});

it('forgets them after their time, and then knows those that were slow beside them', () => {
  const slowest = new Slowest<{ ms: number }>(2, 5_000, 5);
  const add = (...all: number[]) => {
    for (const ms of all) slowest.add(ms, () => ({ ms }));
  };
  add(100, 90, 80);
  vi.advanceTimersByTime(3_000);
  add(10, 20, 5);
  expect(slowest.all).toEqual([{ ms: 100 }, { ms: 90 }]);
  vi.advanceTimersByTime(3_000);
  expect(slowest.all).toEqual([{ ms: 20 }, { ms: 10 }]);
  vi.advanceTimersByTime(3_000);
  expect(slowest.all).toEqual([]);
});
