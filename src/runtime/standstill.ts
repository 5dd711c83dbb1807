import { uptime } from 'node:os';
import { Listeners } from './listeners.js';

/** Milliseconds without a turn of the event loop after which a process stood still: it was stopped, or its machine slept. */
export const STANDSTILL_MS = 3_000;
/** How often a process notes that it runs, at least. */
const TICK_MS = 250;

/** Clocks of a machine, in milliseconds. */
export interface Clocks {
  /** Grows while the machine is awake. */
  awake(): number;
  /** The time of day: grows also while the machine sleeps, but is set now and then. */
  wall(): number;
  /** Grows also while the machine sleeps, and is never set; expensive to read. */
  booted(): number;
}

const [awake, wall] = [performance.now.bind(performance), Date.now];
const clocks: Clocks = { awake, wall, booted: () => uptime() * 1000 };

/**
 * Notices that the process stood still: SIGSTOP, a debugger, a suspended machine. Meanwhile callers have given up the
 * requests that waited. A loop that is busy for a second or two does not count, nor does a clock that is set.
 *
 * A timer notices a standstill by itself when the process had nothing to do, for timers that are due go before what has
 * come in. A process that was stopped in the midst of its work goes on there, so {@link check} is to be called before
 * anything from outside is acted on.
 */
export class Standstill {
  /** Called once for each standstill, with its milliseconds. */
  readonly listeners = new Listeners<number>();
  readonly #clocks: Clocks;
  readonly #timer: NodeJS.Timeout;
  #awakeAt: number;
  #wallAt: number;
  /** `booted` less `awake`: grows by the milliseconds that the machine sleeps. */
  #slept: number;

  constructor(given: Clocks = clocks) {
    this.#clocks = given;
    this.#awakeAt = given.awake();
    this.#wallAt = given.wall();
    this.#slept = given.booted() - this.#awakeAt;
    this.#timer = setInterval(() => this.check(), TICK_MS).unref();
  }

  /** Tells the listeners of a standstill since the last check. Cheap enough for each frame. */
  check(): void {
    const [now, time] = [this.#clocks.awake(), this.#clocks.wall()];
    const [awakeMs, wallMs] = [now - this.#awakeAt, time - this.#wallAt];
    this.#awakeAt = now;
    this.#wallAt = time;
    if (awakeMs <= STANDSTILL_MS && wallMs <= STANDSTILL_MS) return;
    const slept = this.#clocks.booted() - this.#clocks.awake();
    const stillMs = awakeMs + Math.max(0, slept - this.#slept);
    this.#slept = slept;
    if (stillMs > STANDSTILL_MS) this.listeners.tell(Math.round(stillMs));
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
