/** Milliseconds after which what failed is tried again. */
const RETRY_MS = 5_000;

/** Tells when something begins to fail and when it works again, and retries meanwhile. */
export class Trouble {
  readonly #again: () => void;
  readonly #tell: (error: unknown) => void;
  #retries: NodeJS.Timeout | undefined;

  /**
   * @param again tries what failed
   * @param tell called with an error when something fails, and without one when it works again
   */
  constructor(again: () => void, tell: (error: unknown) => void) {
    this.#again = again;
    this.#tell = tell;
  }

  get isThere(): boolean {
    return this.#retries !== undefined;
  }

  begin(error: unknown): void {
    if (this.#retries) return;
    this.#retries = setInterval(this.#again, RETRY_MS).unref();
    this.#tell(error);
  }

  end(): void {
    if (!this.#retries) return;
    this.stop();
    this.#tell(undefined);
  }

  stop(): void {
    clearInterval(this.#retries);
    this.#retries = undefined;
  }
}
