import { type Screen, terminalScreen } from './screen.js';

/** Where a command writes to. */
export interface Output {
  /** Writes the output that was asked for. */
  out(text: string): void;
  /** Writes bytes that were asked for; resolves when there is room for more. */
  outBytes(bytes: Uint8Array): Promise<void>;
  /** The terminal that the output goes to, where a line can be written anew; undefined where it goes elsewhere. */
  readonly terminal?: Screen | undefined;
  /** Writes everything else. */
  err(text: string): void;
}

/** A process's own standard output and error. */
export const standardOutput: Output = {
  get terminal() {
    return process.stdout.isTTY ? terminalScreen(process.stdout, process.env) : undefined;
  },
  out: (text) => process.stdout.write(text),
  outBytes: (bytes) => new Promise((resolve) => process.stdout.write(bytes, () => resolve())),
  err: (text) => process.stderr.write(text),
};

/**
 * From now on the process ends when its output can no longer be written: in silence where the reader has gone, as after
 * `| head`, else as a failure.
 */
export function endWhenUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    process.stderr.write(`imap-broker: cannot write: ${error.message}\n`);
    process.exit(exitCodes.failure);
  });
  // Messages on standard error may get lost.
  process.stderr.on('error', () => {});
}

/** Resolves when all that was printed is written, or could not be. */
export async function printed(): Promise<void> {
  const { stdout } = process;
  // Where no output waits nothing is written: the disk of a service's log may be full, and the service is to end.
  if (stdout.writableLength > 0) await new Promise<void>((resolve) => stdout.write('', () => resolve()));
  await new Promise(setImmediate);
}

/** What a command ends with. */
export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;
/** What each exit code says. */
export const exitMeanings = {
  ok: 'success',
  failure: 'failure',
  usage: 'wrong usage or configuration',
} as const satisfies Record<keyof typeof exitCodes, string>;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure that is told in one sentence. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}
