import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { History } from '../../../src/runtime/load/history.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const historyOf = (points: number) => new History(['rate', 'p50'], 1_000, points);

it('keeps a figure of each column for each step, and of the last steps alone', () => {
  const history = historyOf(3);
  expect([history.endedAt, history.columns]).toEqual([undefined, { rate: [], p50: [] }]);
  for (const rate of [1, 2, 3, 4, 5]) {
    vi.advanceTimersByTime(1_000);
    history.add({ rate, p50: rate === 4 ? null : rate * 10 });
  }
  expect(history.columns).toEqual({ rate: [3, 4, 5], p50: [30, null, 50] });
  expect(history.endedAt).toBe(1_005_000);
});

it('has no figures of steps in which the process did not run, however many they were', () => {
  const history = historyOf(4);
  history.add({ rate: 1, p50: 1 });
  vi.advanceTimersByTime(3_100);
  history.add({ rate: 2, p50: 2 });
  expect(history.columns.rate).toEqual([1, null, null, 2]);
  vi.advanceTimersByTime(1_000_000);
  history.add({ rate: 3, p50: 3 });
  expect(history.columns.rate).toEqual([null, null, null, 3]);
});

it.each([5_000, 5_000_000_000])('has all its figures when the clock is set, to %i', (date) => {
  const history = historyOf(4);
  history.add({ rate: 1, p50: 1 });
  vi.advanceTimersByTime(1_000);
  vi.setSystemTime(date);
  history.add({ rate: 2, p50: 2 });
  expect(history.columns.rate).toEqual([1, 2]);
  expect(history.endedAt).toBe(date);
});
