import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Load, type LoadStep, STEP_MS } from '../../../src/runtime/load/load.js';

function loadOfTest(): Load {
  const load = new Load();
  onTestFinished(() => load.close());
  return load;
}

const answered = (load: Load, outcome: string, ms = 1, tenant = 'webmail') => load.answered({ outcome, ms, tenant });

it('tells how many requests were answered in a second, and which errors, the most frequent first', () => {
  const load = loadOfTest();
  for (const outcome of ['ok', 'IMAP_NO', 'DEADLINE', 'DEADLINE', 'ok']) answered(load, outcome);
  answered(load, 'DEADLINE', 1, 'helpdesk');
  // Of less than a second nothing is made more than it was.
  expect(load.perSecond).toBeGreaterThan(0);
  expect(load.perSecond).toBeLessThanOrEqual(6);
  expect(load.errors).toEqual([
    { kind: 'DEADLINE', tenant: 'webmail', count: 2, perSecond: 2 },
    { kind: 'IMAP_NO', tenant: 'webmail', count: 1, perSecond: 1 },
    { kind: 'DEADLINE', tenant: 'helpdesk', count: 1, perSecond: 1 },
  ]);
});

it('tells how long requests took, without those that were turned away', () => {
  const load = loadOfTest();
  expect(load.latency).toBeNull();
  for (let ms = 1; ms <= 100; ms += 1) answered(load, 'ok', ms);
  for (let count = 0; count < 1000; count += 1) answered(load, 'RATE_LIMITED', 0);
  const { p50 = 0, p95 = 0, p99 = 0 } = load.latency ?? {};
  for (const [told, was] of [
    [p50, 50],
    [p95, 95],
    [p99, 99],
  ] as const) {
    expect(told).toBeGreaterThanOrEqual(was);
    expect(told).toBeLessThan(was * 1.1);
  }
});

it('tells that the event loop was blocked', async () => {
  const load = loadOfTest();
  await expect.poll(() => load.eventLoopLagMs).toBeGreaterThan(0);
  // No other work has a turn meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await sleep(0);
  await expect.poll(() => load.eventLoopLagMs).toBeGreaterThan(200);
});

it('tells each step what it had, and of its times for a minute', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const load = loadOfTest();
  const steps: LoadStep[] = [];
  load.steps.add((step) => steps.push(step));
  answered(load, 'ok', 100);
  answered(load, 'DEADLINE', 100);
  vi.advanceTimersByTime(STEP_MS);
  answered(load, 'ok', 10);
  vi.advanceTimersByTime(STEP_MS);
  vi.advanceTimersByTime(STEP_MS);
  expect(steps.map(({ eventLoopLagMs: _, ...rest }) => rest)).toEqual([
    { requests: 2, failed: 1, latency: { p50: 107.6, p95: 107.6, p99: 107.6 } },
    { requests: 1, failed: 0, latency: { p50: 10.4, p95: 10.4, p99: 10.4 } },
    { requests: 0, failed: 0, latency: null },
  ]);
  expect(load.latency).toMatchObject({ p50: 107.6 });
  vi.advanceTimersByTime(STEP_MS);
  expect(load.latency).toMatchObject({ p99: 10.4 });
  vi.advanceTimersByTime(STEP_MS);
  expect(load.latency).toBeNull();
});
