import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

/** A real terminal with a shell in it, which ends with the test. */
export class Tmux {
  readonly #socket: string;

  constructor(columns = 120, rows = 30) {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-tmux-'));
    this.#socket = join(folder, 'tmux.sock');
    onTestFinished(() => {
      this.#tmux('kill-server');
      rmSync(folder, { recursive: true });
    });
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, "env PS1='shell> ' TERM=screen sh");
  }

  /** What is on the screen. */
  get screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Whether a line was too long for the screen, so that it goes on in the next one. */
  get wraps(): boolean {
    const joined = this.#tmux('capture-pane', '-p', '-J');
    return joined.trimEnd().split('\n').length < this.screen.trimEnd().split('\n').length;
  }

  /** Waits until the screen shows something. */
  async shows(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.screen).toMatch(pattern);
  }

  /** Types a line into the shell. */
  type(line: string): void {
    this.#tmux('send-keys', '-l', line);
    this.press('Enter');
  }

  /** Presses keys, by tmux's names of them, so quickly that the program may read them at once. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Whether programs have left the terminal as a shell needs it: cursor, screen and wrapping. */
  get isAsBefore(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag} #{alternate_on} #{wrap_flag}').trim() === '1 0 1';
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
