import { describe, expect, it } from 'vitest';
import { ChangeLog } from '../../src/view/change-log.js';

describe('the log of changes', () => {
  it('tells what became of each message since a version, once', () => {
    const log = new ChangeLog();
    log.note('added', 1);
    const { version } = log;
    log.note('changed', 1);
    log.note('changed', 1);
    log.note('added', 2);
    log.note('changed', 2);
    log.note('added', 3);
    log.note('removed', 3);
    expect(log.since(version)).toEqual({ added: [2], changed: [1], removed: [3] });
    log.note('removed', 1);
    expect(log.since(version)).toEqual({ added: [2], changed: [], removed: [1, 3] });
    expect(log.since(log.version)).toEqual({ added: [], changed: [], removed: [] });
  });

  it('says that it cannot tell across an interruption', () => {
    const log = new ChangeLog();
    log.note('added', 1);
    const { version } = log;
    log.interrupt();
    expect(log.since(version)).toBeUndefined();
    expect(log.since(log.version)).toEqual({ added: [], changed: [], removed: [] });
  });

  it('says that it cannot tell of versions that are yet to come', () => {
    expect(new ChangeLog().since(1)).toBeUndefined();
  });

  it('is bounded, and then no longer reaches back', () => {
    const log = new ChangeLog();
    for (let uid = 1; uid <= 10_000; uid += 1) log.note('added', uid);
    expect(log.length).toBeLessThanOrEqual(4_000);
    expect(log.since(0)).toBeUndefined();
    expect(log.since(9_999)).toEqual({ added: [10_000], changed: [], removed: [] });
  });
});
