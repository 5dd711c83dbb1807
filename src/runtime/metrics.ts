import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** A metric as the documentation has it. */
export interface MetricEntry {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
}

/** Reads a gauge, or a count that is kept elsewhere: calls `set` for each combination of its labels. */
export type Read<Name extends string> = (set: (labels: Labels<Name>, value: number) => void) => void;

const PREFIX = 'imap_broker_';

/**
 * What Prometheus is told of the broker. Labels are names of the contract and of the configuration, never of users, so
 * that their number is bounded. A value that can be read when Prometheus asks is not counted before.
 */
export class Metrics {
  /** The metrics in the order of their definition. */
  readonly entries: MetricEntry[] = [];
  readonly #registry = new Registry();
  #asked = 0;

  /** Adds what is known of the process: memory, processor, descriptors, garbage collection, lag of the event loop. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /**
   * @param known the combinations of labels that are known before anything is counted. They are told with 0 from the start,
   * because rate() and increase() of Prometheus see a counter grow, and miss what a counter that appears has counted already.
   * @returns a function that adds one
   */
  counter<Name extends string>(
    name: string,
    help: string,
    labels: readonly Name[],
    known: () => Iterable<Labels<Name>>,
  ): (of: Labels<Name>) => void {
    const counter: Counter<Name> = new Counter({
      ...this.#define('counter', name, help, labels),
      collect: () => {
        for (const of of known()) counter.inc(of, 0);
      },
    });
    return (of) => counter.inc(of);
  }

  /** @returns a function that observes a value; times are in seconds */
  histogram<Name extends string>(
    name: string,
    help: string,
    labels: readonly Name[],
    buckets: readonly number[],
  ): (of: Labels<Name>, value: number) => void {
    const definition = this.#define('histogram', name, help, labels);
    const histogram = new Histogram({ ...definition, buckets: [...buckets] });
    return (of, value) => histogram.observe(of, value);
  }

  gauge<Name extends string>(name: string, help: string, labels: readonly Name[], read: Read<Name>): void {
    const gauge: Gauge<Name> = new Gauge({
      ...this.#define('gauge', name, help, labels),
      collect: () => {
        // Without the reset, values of labels that no longer exist would stay for ever.
        gauge.reset();
        read((of, value) => gauge.set(of, value));
      },
    });
  }

  /** A count that is kept elsewhere. */
  total<Name extends string>(name: string, help: string, labels: readonly Name[], read: Read<Name>): void {
    const counter: Counter<Name> = new Counter({
      ...this.#define('counter', name, help, labels),
      collect: () => {
        counter.reset();
        read((of, value) => counter.inc(of, value));
      },
    });
  }

  /** Reads a value that several metrics are made of, once each time that all metrics are asked for. */
  shared<T>(read: () => T): () => T {
    let readAt = -1;
    let value: T;
    return () => {
      if (readAt !== this.#asked) value = read();
      readAt = this.#asked;
      return value;
    };
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    this.#asked += 1;
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Names of the metrics as Prometheus sees them, those of the process included, without the endings of histograms. */
  get names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  #define<Name extends string>(type: MetricEntry['type'], name: string, help: string, labels: readonly Name[]) {
    const full = `${PREFIX}${name}`;
    this.entries.push({ name: full, type, help, labels });
    return { name: full, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
