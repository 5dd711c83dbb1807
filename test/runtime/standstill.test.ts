import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { STANDSTILL_MS, Standstill } from '../../src/runtime/standstill.js';

/** Clocks that the test moves. */
function machine() {
  const now = { awake: 5_000, wall: 1_000_000, booted: 9_000 };
  const standstill = new Standstill({ awake: () => now.awake, wall: () => now.wall, booted: () => now.booted });
  const told: number[] = [];
  standstill.listeners.add((ms) => told.push(ms));
  const pass = (ms: number) => {
    now.awake += ms;
    now.wall += ms;
    now.booted += ms;
  };
  const sleep = (ms: number) => {
    now.wall += ms;
    now.booted += ms;
  };
  return { now, standstill, told, pass, sleep };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a standstill', () => {
  it('is told once, with its length, by the next look or the timer', () => {
    const { standstill, told, pass } = machine();
    pass(10_000);
    standstill.check();
    standstill.check();
    expect(told).toEqual([10_000]);
    pass(STANDSTILL_MS + 1);
    vi.advanceTimersByTime(250);
    expect(told).toEqual([10_000, STANDSTILL_MS + 1]);
    standstill.close();
  });

  it('is none while a loop is busy, however long, as long as it looks', () => {
    const { standstill, told, pass } = machine();
    for (let round = 0; round < 10; round += 1) {
      pass(2_000);
      standstill.check();
    }
    expect(told).toEqual([]);
    standstill.close();
  });

  it('of a machine that slept is told, although the clock of the process stood as well', () => {
    const { standstill, told, sleep, pass } = machine();
    sleep(60_000);
    pass(100);
    standstill.check();
    expect(told).toEqual([60_100]);
    pass(100);
    standstill.check();
    expect(told).toHaveLength(1);
    standstill.close();
  });

  it('is none when the clock is set ahead or back', () => {
    const { now, standstill, told, pass } = machine();
    for (const by of [3_600_000, -7_200_000, 10_000]) {
      now.wall += by;
      pass(100);
      standstill.check();
    }
    expect(told).toEqual([]);
    standstill.close();
  });

  it('ends with its owner', () => {
    const { standstill, told, pass } = machine();
    standstill.close();
    pass(10_000);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
  });
});
