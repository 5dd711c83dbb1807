import type { Log, LogLevel } from './log.js';

/** The level of a log: as configured, or another one for a while. */
export class LogLevelControl {
  readonly #log: Pick<Log, 'level'>;
  #configured: LogLevel;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Pick<Log, 'level'>) {
    this.#log = log;
    this.#configured = log.level as LogLevel;
  }

  /** Takes the level of a new configuration. It holds once a level that was set for a while has ended. */
  configure(level: LogLevel): void {
    this.#configured = level;
    if (!this.#timer) this.#log.level = level;
  }

  /**
   * Sets the level until the configuration is read again, or for so many milliseconds.
   * @returns the level before
   */
  set(level: LogLevel, forMs?: number): LogLevel {
    const before = this.#log.level as LogLevel;
    clearTimeout(this.#timer);
    this.#timer = forMs === undefined ? undefined : setTimeout(() => this.#end(), forMs).unref();
    this.#log.level = level;
    return before;
  }

  #end(): void {
    this.#timer = undefined;
    this.#log.level = this.#configured;
  }
}
