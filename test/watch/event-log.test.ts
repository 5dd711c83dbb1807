import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventLog, EventStore } from '../../src/watch/event-log.js';

const limits = { events: 3, ageMs: 60_000, bytes: 1_000_000 };
const add = (log: EventLog, text = '') => log.append('INBOX', (seq) => `${seq}${text}`);
const seqs = (log: EventLog, after: number) => log.after(after)?.map(({ seq }) => seq);

afterEach(() => vi.useRealTimers());

describe('a log of events', () => {
  it('numbers them without a gap and has all after a number', () => {
    const log = new EventLog(new EventStore(limits), 0);
    expect([add(log).seq, add(log).seq]).toEqual([1, 2]);
    expect(seqs(log, 0)).toEqual([1, 2]);
    expect(seqs(log, 1)).toEqual([2]);
    expect(seqs(log, 2)).toEqual([]);
    expect(log.after(1)?.[0]?.frame).toBe('2');
  });

  it('does not claim to know what lies ahead, or before its beginning', () => {
    const log = new EventLog(new EventStore(limits), 10);
    add(log);
    expect(log.after(12)).toBeUndefined();
    expect(log.after(9)).toBeUndefined();
    expect(seqs(log, 10)).toEqual([11]);
  });

  it('keeps so many, and says so of those before', () => {
    const log = new EventLog(new EventStore(limits), 0);
    for (let count = 0; count < 5; count += 1) add(log);
    expect(log.seq).toBe(5);
    expect(seqs(log, 2)).toEqual([3, 4, 5]);
    expect(log.after(1)).toBeUndefined();
  });

  it('keeps them for so long', () => {
    vi.useFakeTimers();
    const store = new EventStore(limits);
    const log = new EventLog(store, 0);
    add(log);
    vi.advanceTimersByTime(40_000);
    add(log);
    vi.advanceTimersByTime(30_000);
    store.trim();
    expect(seqs(log, 1)).toEqual([2]);
    expect(log.after(0)).toBeUndefined();
    vi.advanceTimersByTime(40_000);
    store.trim();
    expect(seqs(log, 2)).toEqual([]);
    expect(store.bytes).toBe(0);
  });
});

describe('logs that share a store', () => {
  it('keep so many bytes together, the oldest event going first whosever it is', () => {
    const store = new EventStore({ ...limits, events: 100, bytes: 10_000 });
    const [quiet, busy] = [new EventLog(store, 0), new EventLog(store, 0)];
    add(quiet, 'x'.repeat(1000));
    for (let count = 0; count < 50; count += 1) {
      add(busy, 'x'.repeat(1000));
      expect(store.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(quiet.after(0)).toBeUndefined();
    expect(quiet.seq).toBe(1);
    expect(seqs(busy, busy.seq - 4)).toEqual([47, 48, 49, 50]);
    busy.clear();
    expect(store.bytes).toBe(0);
    expect(busy.seq).toBe(50);
  });
});
