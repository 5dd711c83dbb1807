import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryGuard, type MemoryReading, readMemory } from '../../src/view/memory-guard.js';
import { Views } from '../../src/view/views.js';

/** Views with a hundred bodies, and a guard that reads what the test says. */
function guarded(everyMs = 3_600_000) {
  const views = new Views();
  const keep = (from: number, to: number) => {
    for (let index = from; index < to; index += 1) views.keepBody('account', `body ${index}`, 'x'.repeat(10_000));
  };
  keep(0, 100);
  const warnings: Record<string, unknown>[] = [];
  const reading: MemoryReading = { of: 'heap', used: 10, limit: 100 };
  let onWarning = () => {};
  const guard = new MemoryGuard({
    views,
    log: {
      warn: (entry: Record<string, unknown>) => {
        warnings.push(entry);
        onWarning();
      },
    },
    read: () => [{ of: 'process', used: 1, limit: 100 }, reading],
    everyMs,
  });
  onTestFinished(() => guard.close());
  const warned = new Promise<void>((resolve) => {
    onWarning = resolve;
  });
  return { views, keep, warnings, reading, guard, warned };
}

describe('when memory is short', () => {
  it('half of what is kept is forgotten, what was used last stays, and the log says so once', () => {
    const { views, warnings, reading, guard } = guarded();
    const before = views.bytes;
    guard.look();
    expect(views.bytes).toBe(before);
    reading.used = 81;
    guard.look();
    expect(views.bytes).toBeLessThanOrEqual(before / 2);
    expect(views.bytes).toBeGreaterThan(before / 3);
    expect(views.recall('account', 'body 99')).toBeDefined();
    expect(views.recall('account', 'body 0')).toBeUndefined();
    guard.look();
    expect(views.bytes).toBeGreaterThan(before / 3);
    expect(warnings).toEqual([{ of: 'heap', used: 81, limit: 100, bytesBefore: before, bytesAfter: views.bytes }]);
  });

  it('it does not grow back until memory is no longer short', () => {
    const { views, keep, warnings, reading, guard } = guarded();
    const before = views.bytes;
    reading.used = 95;
    guard.look();
    keep(100, 200);
    guard.look();
    expect(views.bytes).toBeLessThanOrEqual(before / 2);
    expect(warnings).toHaveLength(1);
    reading.used = 80;
    guard.look();
    keep(200, 300);
    guard.look();
    expect(views.bytes).toBeGreaterThan(before);
    reading.used = 90;
    guard.look();
    expect(warnings).toHaveLength(2);
  });

  it('that is noticed by itself', async () => {
    const { views, reading, warned } = guarded(1);
    const before = views.bytes;
    reading.used = 99;
    await warned;
    expect(views.bytes).toBeLessThan(before);
  });
});

describe('what is read', () => {
  it('is the heap, and the process where that has a limit below what the machine has', () => {
    const [heap, ...others] = readMemory();
    expect(heap).toMatchObject({ of: 'heap' });
    for (const { used, limit } of [heap, ...others].filter((one) => one !== undefined)) {
      expect(used).toBeGreaterThan(1_000_000);
      expect(used).toBeLessThan(limit);
    }
  });
});
