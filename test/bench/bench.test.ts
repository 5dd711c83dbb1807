import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ATTACHMENT_BYTES, ATTACHMENT_UID, benchMessage, longUids } from './content.js';
import { configuration } from './haproxy.js';
import { measure, ratio } from './measure.js';
import { processorSeconds, ticksIn } from './processor.js';
import { atLeast, atMost, comparison, markdownTable } from './report.js';
import { median, quantile } from './statistics.js';

const bytes = (index: number) => Buffer.from(benchMessage(index).raw);

describe('the mail of the bench', () => {
  it('is the same in each run', () => {
    for (const index of [0, 1, 17, 1999]) expect(bytes(index).equals(bytes(index))).toBe(true);
    expect(bytes(16).equals(bytes(17))).toBe(false);
  });

  it('has messages of about 20 KB to open', () => {
    const sizes = longUids().map((uid) => bytes(uid - 1).length);
    expect(sizes.length).toBeGreaterThan(300);
    expect(median(sizes)).toBeGreaterThan(18_000);
    expect(median(sizes)).toBeLessThan(22_000);
  });

  it('has an attachment of 2 MB, and no other of that size', () => {
    expect(bytes(ATTACHMENT_UID - 1).length).toBeGreaterThan(ATTACHMENT_BYTES);
    expect(bytes(ATTACHMENT_UID).length).toBeLessThan(100_000);
  });
});

describe('measuring', () => {
  const effort = { rounds: 4, warmUp: 1, windows: 1, windowMs: 20 };

  it('takes turns and counts what failed', async () => {
    const order: string[] = [];
    let calls = 0;
    const ways = [
      { name: 'a', run: async () => order.push('a'), burst: 2 },
      { name: 'b', run: async () => order.push('b'), burst: 1, windows: 0 },
    ];
    const rows = await measure(ways, effort, [1]);
    expect(order.join('')).toBe('abaabaabaabaab');
    expect(rows.map(({ way, failed }) => [way, failed])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    const failing = async () => {
      calls += 1;
      const isThird = calls === 3;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (isThird) throw new Error('once');
    };
    const [row] = await measure([{ name: 'c', run: failing }], effort, [2]);
    expect(row?.failed).toBe(1);
    expect(row?.perSecond).toBeGreaterThan(0);
  });

  it('compares with another way for as many callers', () => {
    const row = (way: string, medianMs: number, perSecond: number) =>
      ({ way, callers: 8, medianMs, p95Ms: 0, perSecond, failed: 0 }) as const;
    const rows = [row('warm imapflow', 4, 100), row('broker', 1, 600)];
    expect(ratio(rows, 'broker', 'warm imapflow', { callers: 8 })).toBe(0.25);
    expect(ratio(rows, 'broker', 'warm imapflow', { callers: 8, of: 'perSecond' })).toBe(6);
    expect(ratio(rows, 'broker', 'warm imapflow')).toBeUndefined();
    expect(markdownTable(comparison(rows))).toContain('|   1 ms | 0 ms |            600 |');
  });

  it('says whether a target is met, and not where nothing was measured', () => {
    expect(atMost('x', 1.5, 1.5).met).toBe(true);
    expect(atMost('x', 1.51, 1.5).met).toBe(false);
    expect(atLeast('x', 6, 6).met).toBe(true);
    expect(atLeast('x', undefined, 6)).toMatchObject({ measured: 'not offered by this build', met: false });
  });

  it('takes quantiles', () => {
    expect(quantile([], 0.5)).toBe(0);
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([3, 1, 2], 1)).toBe(3);
  });

  it('takes the processor time of a process from the kernel, whatever the name of its program is', () => {
    const fields = ['S', ...Array.from({ length: 40 }, (_, at) => at + 4)];
    // Fields 14 and 15 of proc(5), of which the name is the second.
    expect(ticksIn(`17 (odd ) name) ${fields.join(' ')}`)).toBe(14 + 15);
    const before = processorSeconds(process.pid);
    expect(before).toBeGreaterThan(0);
    for (const end = performance.now() + 50; performance.now() < end; ) JSON.parse('[1]');
    expect(processorSeconds(process.pid)).toBeGreaterThan(before);
  });
});

describe('HAProxy before the brokers that are measured', () => {
  const file = readFileSync(join(import.meta.dirname, '../../scale/haproxy.cfg'), 'utf8');
  const brokers = [1, 2, 3].map((at) => ({ port: 20_000 + at, monitorPort: 30_000 + at }));

  it('has the configuration of the package, but for the ports', () => {
    const changed = configuration(file, 15_000, brokers);
    expect(changed).toContain('bind 127.0.0.1:15000\n');
    expect(changed).toContain('server broker3 127.0.0.1:20003 port 30003\n');
    expect(changed.replace(/:\d{5}| port \d{5}/g, '')).toBe(file.replace(/:7\d{3}| port 7\d{3}/g, ''));
  });

  it('knows of no others', () => {
    const changed = configuration(file, 15_000, brokers.slice(0, 1));
    expect(changed.match(/^ *server .*$/gm)).toEqual(['    server broker1 127.0.0.1:20001 port 30001']);
  });
});
