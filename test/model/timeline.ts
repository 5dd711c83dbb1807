import type { State } from './state.js';

interface Span {
  state: State;
  /** Milliseconds since 1970: it was in force no later than this. */
  until: number;
}

/** Clocks are read in whole milliseconds, by the broker too. */
const TICK_MS = 2;

/** What a folder's name stood for, one state after the other. All writers go through this class. */
export class Timeline {
  readonly #spans: Span[];
  /** The first state that holds the broker's own last write. */
  #floor = 0;
  readonly #madeAt: number;

  /** @param madeAt until then, in milliseconds since 1970, the name stood for nothing */
  constructor(state: State, madeAt = Number.NEGATIVE_INFINITY) {
    this.#spans = [{ state, until: Number.POSITIVE_INFINITY }];
    this.#madeAt = madeAt;
  }

  get now(): State {
    return this.#spans.at(-1)?.state;
  }

  /** A write is done: this is what a fresh connection sees behind it. */
  note(state: State, by: 'broker' | 'client'): void {
    const last = this.#spans.at(-1);
    if (last) last.until = Date.now();
    this.#spans.push({ state, until: Number.POSITIVE_INFINITY });
    if (by === 'broker') this.#floor = this.#spans.length - 1;
  }

  /**
   * The states that an answer to a request that was sent then may show: the present one, and with `maxAgeMs` those that
   * were in force since, but none from before the broker's own last write.
   * @param asOf what the answer says of its age, where it says something
   */
  allowed(sentAt: number, maxAgeMs: number, asOf?: string): State[] {
    if (maxAgeMs === 0) return [this.now];
    const since = Math.max(sentAt - maxAgeMs, asOf === undefined ? 0 : Date.parse(asOf)) - TICK_MS;
    const states = this.#spans.slice(this.#floor).flatMap(({ state, until }) => (until >= since ? [state] : []));
    // Only what says that it is so old: everything else was asked for when the name stood for something.
    const ofBefore = asOf !== undefined && since <= this.#madeAt && this.#floor === 0;
    return ofBefore ? [undefined, ...states] : states;
  }
}

/** Whether an answer is as old as it may be, and says so. */
export function isInTime(sentAt: number, maxAgeMs: number, asOf: string): boolean {
  return Date.parse(asOf) >= sentAt - maxAgeMs - TICK_MS;
}
