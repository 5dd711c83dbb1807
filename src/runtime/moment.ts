/** A point in time, by both clocks. */
export interface Moment {
  /** `performance.now()` */
  at: number;
  /** `Date.now()` */
  date: number;
}

export const now = (): Moment => ({ at: performance.now(), date: Date.now() });
