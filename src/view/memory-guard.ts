import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Log } from '../runtime/log/log.js';
import type { Views } from './views.js';

/** How much memory is in use, and the limit. */
export interface MemoryReading {
  of: 'heap' | 'process';
  used: number;
  limit: number;
}

export interface MemoryGuardOptions {
  views: Pick<Views, 'bytes' | 'shed'>;
  log: Pick<Log, 'warn'>;
  /** For tests. */
  read?: () => MemoryReading[];
  everyMs?: number;
}

const EVERY_MS = 5_000;
/** Memory is short above this share of a limit. */
const MARK = 0.8;

/**
 * Evicts cached mail when memory is short although the views are within their bound: the bound is what the views may
 * take, not what the machine has. Evicts half at once, and bounds the views by that size until memory is not short.
 */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  readonly #timer: NodeJS.Timeout;
  /** Bytes that the views may have while memory is short. */
  #most: number | undefined;

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  look(): void {
    const { views, log, read = readMemory } = this.#options;
    const short = read().find(({ used, limit }) => used > MARK * limit);
    if (!short) {
      this.#most = undefined;
      return;
    }
    const bytesBefore = views.bytes;
    const before = this.#most;
    this.#most ??= bytesBefore / 2;
    views.shed(this.#most);
    if (before !== undefined) return;
    const { of, used, limit } = short;
    log.warn(
      { of, used, limit, bytesBefore, bytesAfter: views.bytes },
      'memory is short: half of the mail in memory is dropped',
    );
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** V8's heap; and where the process has its own limit, as in a cgroup with MemoryMax, its resident memory. */
export function readMemory(): MemoryReading[] {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const readings: MemoryReading[] = [{ of: 'heap', used, limit }];
  // Without a limit, `constrainedMemory` returns 0 or more than the machine has.
  const constrained = process.constrainedMemory();
  if (constrained > 0 && constrained < totalmem()) {
    readings.push({ of: 'process', used: process.memoryUsage.rss(), limit: constrained });
  }
  return readings;
}
