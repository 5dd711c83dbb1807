/** A configuration that cannot be used. Each problem is one sentence that names the key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    // A key may hold what moves the cursor of a terminal.
    const lines = problems.map((problem) => problem.replace(/\p{Cc}/gu, '?'));
    super(lines.join('\n'));
    this.problems = lines;
  }
}
