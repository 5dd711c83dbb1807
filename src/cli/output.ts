/** Where a command writes to. */
export interface Output {
  /** What was asked for. */
  out(text: string): void;
  /** Bytes that were asked for; resolves when there is room for more. */
  outBytes(bytes: Uint8Array): Promise<void>;
  /** Whether what was asked for goes to a terminal, where a line can be written anew. */
  readonly terminal?: boolean;
  /** Everything else. */
  err(text: string): void;
}

/** A process's own standard output and error. */
export const standardOutput: Output = {
  terminal: process.stdout.isTTY,
  out: (text) => process.stdout.write(text),
  outBytes: (bytes) => new Promise((resolve) => process.stdout.write(bytes, () => resolve())),
  err: (text) => process.stderr.write(text),
};

/** What a command ends with. */
export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;
/** What each of them says. */
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
