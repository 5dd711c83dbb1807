import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AccountLoads } from '../../../src/runtime/load/account-loads.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

it('tells of the last hundred requests of each account what they did not exceed', () => {
  const loads = new AccountLoads();
  loads.answered('anna', 5_000);
  for (let ms = 100; ms >= 1; ms -= 1) loads.answered('anna', ms);
  loads.answered('berta', 7.25);
  expect(loads.of('anna').latencyMs).toEqual({ p50: 50, p95: 95, p99: 99 });
  expect(loads.of('berta').latencyMs).toEqual({ p50: 7.3, p95: 7.3, p99: 7.3 });
  expect(loads.of('carla')).toEqual({ perSecond: 0, latencyMs: null });
});

it('tells the rate of requests, in which what is older counts less and less', () => {
  const loads = new AccountLoads();
  for (let count = 0; count < 1_000; count += 1) {
    vi.advanceTimersByTime(200);
    loads.answered('anna', 1);
  }
  expect(loads.of('anna').perSecond).toBeCloseTo(5, 0);
  vi.advanceTimersByTime(30_000);
  expect(loads.of('anna').perSecond).toBeCloseTo(5 / Math.E, 0);
});

it('forgets accounts that have ended, and those that have sent nothing for five minutes', () => {
  const loads = new AccountLoads();
  loads.answered('anna', 1);
  loads.answered('berta', 1);
  loads.endAccount('berta');
  expect(loads.of('berta').latencyMs).toBeNull();
  vi.advanceTimersByTime(299_000);
  loads.sweep();
  expect(loads.of('anna').latencyMs).not.toBeNull();
  vi.advanceTimersByTime(2_000);
  loads.sweep();
  expect(loads.of('anna').latencyMs).toBeNull();
});
