import { type Moment, now } from '../moment.js';

/** Figures of the last while: one of each column for each step of time, in memory of fixed size. */
export class History<Column extends string> {
  readonly stepMs: number;
  readonly #points: number;
  /** A ring for each column; NaN where there is no figure. */
  readonly #columns: ReadonlyMap<Column, Float64Array>;
  #added = 0;
  /** When the last step ended. */
  #ended: Moment | undefined;

  /**
   * @param stepMs milliseconds of a step
   * @param points how many steps are kept
   */
  constructor(columns: readonly Column[], stepMs: number, points: number) {
    this.stepMs = stepMs;
    this.#points = points;
    this.#columns = new Map(columns.map((column) => [column, new Float64Array(points)]));
  }

  /** `Date.now()` when the last step ended; undefined before the first one has. */
  get endedAt(): number | undefined {
    return this.#ended?.date;
  }

  /** Adds the figures of the step that ends now. Steps in which the process did not run have no figures. */
  add(figures: Readonly<Record<Column, number | null>>): void {
    const ended = now();
    // By the clock that is never set: a date that jumps is no missed step.
    const missed = Math.round((ended.at - (this.#ended ?? ended).at) / this.stepMs) - 1;
    for (let count = Math.min(missed, this.#points); count > 0; count -= 1) this.#append(() => null);
    this.#append((column) => figures[column]);
    this.#ended = ended;
  }

  /** The figures of each column, the oldest first; null where there is none. */
  get columns(): Record<Column, (number | null)[]> {
    const kept = Math.min(this.#added, this.#points);
    const entries = Array.from(this.#columns, ([column, ring]) => [
      column,
      Array.from({ length: kept }, (_, at) => {
        const figure = ring[(this.#added - kept + at) % this.#points] ?? Number.NaN;
        return Number.isNaN(figure) ? null : figure;
      }),
    ]);
    return Object.fromEntries(entries) as Record<Column, (number | null)[]>;
  }

  #append(figureOf: (column: Column) => number | null): void {
    for (const [column, ring] of this.#columns) ring[this.#added % this.#points] = figureOf(column) ?? Number.NaN;
    this.#added += 1;
  }
}
