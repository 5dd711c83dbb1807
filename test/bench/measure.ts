import { median, quantile } from './statistics.js';

/** One way of doing what a scenario measures. */
export interface Way {
  name: string;
  /** Does it once; rejects when the answer is not what it should be. */
  run: () => Promise<unknown>;
  /** Calls in a row in its turn of a round, so that caches of the processor are as warm as in earnest. Default 5. */
  burst?: number;
  /** Calls before anything is measured. Default: those of the effort. */
  warmUp?: number;
  /** Rounds with many callers in which it has a turn; 0: only for one caller. Default: those of the effort. */
  windows?: number;
}

/** How much is measured. */
export interface Effort {
  /** Rounds for one caller; in each every way has a turn. */
  rounds: number;
  /** Calls of each way before anything is measured, so that what the compiler does is done. */
  warmUp: number;
  /** Rounds for many callers. */
  windows: number;
  /** Milliseconds that each way has in such a round. */
  windowMs: number;
}

/** What was measured of one way with so many callers. */
export interface Row {
  way: string;
  callers: number;
  medianMs: number;
  p95Ms: number;
  /** Calls a second that were answered; null with one caller, where the median says it. */
  perSecond: number | null;
  /** Calls that were not answered; with one caller such a call ends the bench. */
  failed: number;
}

/** All ways in turns, A B C A B C: what slows the machine down for a while slows all of them. */
export async function measure(
  ways: readonly Way[],
  effort: Effort,
  callers: readonly number[] = [1, 8, 32],
): Promise<Row[]> {
  for (const { run, warmUp = effort.warmUp } of ways) {
    for (let count = 0; count < warmUp; count += 1) await run();
  }
  const rows: Row[] = [];
  for (const count of callers) {
    rows.push(...(count === 1 ? await oneCaller(ways, effort) : await manyCallers(ways, effort, count)));
  }
  return rows;
}

async function oneCaller(ways: readonly Way[], { rounds }: Effort): Promise<Row[]> {
  const times = ways.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, { run, burst = 5 }] of ways.entries()) {
      for (let count = 0; count < burst; count += 1) times[at]?.push(await timed(run));
    }
  }
  return ways.map(({ name }, at) => row(name, 1, times[at] ?? [], null));
}

async function manyCallers(ways: readonly Way[], effort: Effort, callers: number): Promise<Row[]> {
  const able = ways.filter(({ windows }) => windows !== 0);
  const times = able.map((): number[] => []);
  const rates = able.map((): number[] => []);
  const failed = able.map(() => 0);
  for (let round = 0; round < effort.windows; round += 1) {
    for (const [at, { run, windows = effort.windows }] of able.entries()) {
      if (round >= windows) continue;
      const window = await closedLoop(run, callers, effort.windowMs);
      times[at]?.push(...window.times);
      rates[at]?.push(window.perSecond);
      failed[at] = (failed[at] ?? 0) + window.failed;
    }
  }
  return able.map(({ name }, at) => row(name, callers, times[at] ?? [], median(rates[at] ?? []), failed[at]));
}

/** Callers that each ask again as soon as they are answered. */
async function closedLoop(
  run: Way['run'],
  callers: number,
  windowMs: number,
): Promise<{ times: number[]; perSecond: number; failed: number }> {
  const times: number[] = [];
  let failed = 0;
  const begun = performance.now();
  const caller = async () => {
    while (performance.now() - begun < windowMs) {
      try {
        times.push(await timed(run));
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { times, perSecond: (times.length / (performance.now() - begun)) * 1000, failed };
}

/** Milliseconds that one call takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

function row(way: string, callers: number, times: readonly number[], perSecond: number | null, failed = 0): Row {
  return { way, callers, medianMs: median(times), p95Ms: quantile(times, 0.95), perSecond, failed };
}

/** How one way compares with another; undefined where one of them was not measured. */
export function ratio(
  rows: readonly Row[],
  way: string,
  base: string,
  { callers = 1, of = 'medianMs' }: { callers?: number; of?: 'medianMs' | 'perSecond' } = {},
): number | undefined {
  const value = (name: string) => rows.find((one) => one.way === name && one.callers === callers)?.[of] ?? undefined;
  const [above, below] = [value(way), value(base)];
  return above === undefined || below === undefined ? undefined : above / below;
}
