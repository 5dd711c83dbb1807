import { expect, it } from 'vitest';
import { Metrics } from '../../src/runtime/metrics.js';
import { samplesOf } from '../support/scrape.js';

it('a gauge is read when it is asked for, and what is there no more is told no more', async () => {
  const metrics = new Metrics();
  const now = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  metrics.gauge('things', 'Things.', ['name'], (set) => {
    for (const [name, value] of now) set({ name }, value);
  });
  expect(samplesOf(await metrics.text())).toEqual(
    new Map([
      ['imap_broker_things{name="a"}', 1],
      ['imap_broker_things{name="b"}', 2],
    ]),
  );
  now.delete('a');
  now.set('b', 5);
  expect(samplesOf(await metrics.text())).toEqual(new Map([['imap_broker_things{name="b"}', 5]]));
});

it('a count that somebody else keeps is told as it is, however often it is asked for', async () => {
  const metrics = new Metrics();
  let count = 3;
  metrics.total('things_total', 'Things.', [], (set) => set({}, count));
  await metrics.text();
  count = 4;
  const text = await metrics.text();
  expect(text).toContain('# TYPE imap_broker_things_total counter');
  expect(samplesOf(text).get('imap_broker_things_total')).toBe(4);
});

it('histograms and counters have what was noted, by their labels', async () => {
  const metrics = new Metrics();
  const count = metrics.counter('done_total', 'Done.', ['how'], () => []);
  const took = metrics.histogram('took_seconds', 'Took.', ['how'], [0.1, 1]);
  for (const value of [0.05, 0.5, 5]) {
    count({ how: 'well' });
    took({ how: 'well' }, value);
  }
  const samples = samplesOf(await metrics.text());
  expect(samples.get('imap_broker_done_total{how="well"}')).toBe(3);
  expect(samples.get('imap_broker_took_seconds_bucket{le="0.1",how="well"}')).toBe(1);
  expect(samples.get('imap_broker_took_seconds_bucket{le="1",how="well"}')).toBe(2);
  expect(samples.get('imap_broker_took_seconds_count{how="well"}')).toBe(3);
});

it('a counter is told with 0 for each of the labels that are known, also of those that come later', async () => {
  const metrics = new Metrics();
  const known = [{ how: 'well' }];
  const count = metrics.counter('done_total', 'Done.', ['how'], () => known);
  const told = async () => Object.fromEntries(samplesOf(await metrics.text()));
  expect(await told()).toEqual({ 'imap_broker_done_total{how="well"}': 0 });
  count({ how: 'well' });
  count({ how: 'otherwise' });
  known.push({ how: 'badly' });
  const after = { 'imap_broker_done_total{how="well"}': 1, 'imap_broker_done_total{how="otherwise"}': 1 };
  expect(await told()).toEqual({ ...after, 'imap_broker_done_total{how="badly"}': 0 });
  expect(await told()).toEqual({ ...after, 'imap_broker_done_total{how="badly"}': 0 });
});

it('what several are made of is read once each time', async () => {
  const metrics = new Metrics();
  let reads = 0;
  const read = metrics.shared(() => {
    reads += 1;
    return reads;
  });
  metrics.gauge('one', 'One.', [], (set) => set({}, read()));
  metrics.gauge('two', 'Two.', [], (set) => set({}, read()));
  await metrics.text();
  const samples = samplesOf(await metrics.text());
  expect([samples.get('imap_broker_one'), samples.get('imap_broker_two')]).toEqual([2, 2]);
});

it('of the process it knows memory, processor, descriptors and the lag of the event loop', () => {
  const metrics = new Metrics();
  metrics.addProcess();
  expect(metrics.names).toEqual(
    expect.arrayContaining([
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'process_open_fds',
      'nodejs_eventloop_lag_p99_seconds',
    ]),
  );
});
