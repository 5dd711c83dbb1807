import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in the heap when all has been collected that can be, buffers outside of it included. */
export async function heapBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  // What one collection finalises the next one collects, and what has just ended is held for some turns more.
  for (let idle = 0; idle < 3; idle += 1) {
    await turn();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    if (heapUsed + external < least - 1_000) idle = 0;
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

/** How many bytes more there are for what is made, which is alive until it is measured. */
export async function heapGrowth<T>(make: () => Promise<T>): Promise<{ made: T; bytes: number }> {
  const before = await heapBytes();
  const made = await make();
  const bytes = (await heapBytes()) - before;
  return { made, bytes };
}
