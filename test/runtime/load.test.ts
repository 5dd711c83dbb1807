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

it('tells that the event loop was blocked', async () => {
  const load = loadOfTest();
  await expect.poll(() => load.eventLoopLagMs).toBeGreaterThan(0);
  // Nobody else has a turn meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await sleep(0);
  await expect.poll(() => load.eventLoopLagMs).toBeGreaterThan(200);
});
