import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Load } from '../../src/runtime/load.js';

function loadOfTest(): Load {
  const load = new Load();
  onTestFinished(() => load.close());
  return load;
}

it('tells how many requests were answered in a second, and which errors, the most frequent first', () => {
  const load = loadOfTest();
  for (const outcome of ['ok', 'IMAP_NO', 'DEADLINE', 'DEADLINE', 'ok']) load.answered(outcome, 1);
  // Of less than a second nothing is made more than it was.
  expect(load.perSecond).toBeGreaterThan(0);
  expect(load.perSecond).toBeLessThanOrEqual(5);
  expect(load.errors).toEqual([
    { kind: 'DEADLINE', count: 2 },
    { kind: 'IMAP_NO', count: 1 },
  ]);
});

it('tells how long requests took, without those that were turned away', () => {
  const load = loadOfTest();
  expect(load.latency).toBeNull();
  for (let ms = 1; ms <= 100; ms += 1) load.answered('ok', ms);
  for (let count = 0; count < 1000; count += 1) load.answered('RATE_LIMITED', 0);
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
