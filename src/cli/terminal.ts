import { emitKeypressEvents, type Key } from 'node:readline';
import { CliError, exitCodes } from './output.js';

/**
 * Switches to the other screen of the terminal, without cursor and without wrapping long lines, which a wide letter may
 * make of any line; and back to the screen as it was before.
 */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What the person at the terminal did. */
export type TerminalEvent = { key: string } | 'resized';

/** The terminal that the process runs in, as a screen that is drawn again and again. */
export class Terminal {
  readonly #end = new AbortController();
  readonly #events: TerminalEvent[] = [];
  #wake: () => void = () => {};
  #left = false;

  /** Takes the terminal over. @throws CliError when there is none */
  constructor() {
    const { stdin, stdout } = process;
    if (!stdin.isTTY || !stdout.isTTY) throw new CliError('top needs a terminal.', exitCodes.usage);
    emitKeypressEvents(stdin);
    stdin.setRawMode(true).on('keypress', this.#onKey).on('end', this.#onSignal).resume();
    stdout.on('resize', this.#onResize);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    // Whatever ends the process, its user gets the terminal back as it was.
    process.on('exit', this.leave);
    stdout.write(ENTER);
  }

  /** Aborts when the person wants to leave, or the process is told to end. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get rows(): number {
    return process.stdout.rows;
  }

  /** Shows lines in place of those before; of what does not fit the terminal shows nothing. */
  draw(lines: readonly string[]): void {
    // A line is cleared before it is written: behind a line as wide as the screen the cursor stands on its last letter.
    const shown = lines.slice(0, this.rows).map((line) => REST_OF_LINE + line);
    process.stdout.write(HOME + shown.join('\r\n') + REST_OF_SCREEN);
  }

  /** The next thing that happens, or `undefined` after so many milliseconds, or at the end. */
  async next(timeoutMs: number): Promise<TerminalEvent | undefined> {
    if (this.#events.length === 0 && !this.ended.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    }
    return this.#events.shift();
  }

  /** Gives the terminal back. */
  readonly leave = (): void => {
    if (this.#left) return;
    this.#left = true;
    process.off('exit', this.leave);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    const { stdin, stdout } = process;
    stdout.off('resize', this.#onResize);
    stdin.off('keypress', this.#onKey).off('end', this.#onSignal).setRawMode(false).pause();
    stdout.write(LEAVE);
  };

  readonly #onKey = (_text: string | undefined, { name, sequence, ctrl }: Key): void => {
    if (name === 'q' || (ctrl && name === 'c')) this.#onSignal();
    else if (sequence !== undefined) this.#happened({ key: sequence });
  };

  readonly #onResize = (): void => this.#happened('resized');

  readonly #onSignal = (): void => {
    this.#end.abort();
    this.#wake();
  };

  #happened(event: TerminalEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
