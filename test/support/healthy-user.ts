import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FrameClient } from './frame-client.js';

/** Between two requests. */
const PAUSE_MS = 5;
/** A broker that stands still is waited for, so that the wait is known. */
const TIMEOUT_MS = 30_000;

/** How often this process looks at its own clock. */
const RESOLUTION_MS = 5;

/** What a healthy user saw beside another one. */
export interface Waits {
  asked: number;
  failed: number;
  longestMs: number;
  /** For how long this process, which measures, stood still itself at most. */
  ownMs: number;
}

/** A user with an account at another server, who asks for the counts of a folder every few milliseconds. */
export class HealthyUser {
  readonly #client: FrameClient;
  readonly #session: string;
  #asking = false;
  #asked: Promise<void> = Promise.resolve();
  readonly #own = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #waits: Waits = nothingYet();

  private constructor(client: FrameClient, session: string) {
    this.#client = client;
    this.#session = session;
  }

  static async open(client: FrameClient, server: string): Promise<HealthyUser> {
    const params = { server, user: 'anna', auth: { password: 'of-anna' } };
    const { result, error } = await client.request('session.open', params, TIMEOUT_MS);
    if (!result) throw new Error(`The healthy user cannot log in: ${error?.message}`);
    const user = new HealthyUser(client, (result as { session: string }).session);
    for (let count = 0; count < 50; count += 1) await user.#ask();
    return user;
  }

  /** Begins to ask, until {@link stop} or the first request that fails. */
  start(): void {
    this.#waits = nothingYet();
    this.#own.reset();
    this.#own.enable();
    this.#asking = true;
    this.#asked = this.#askOnAndOn();
  }

  /** Ends with a few more requests, so that nothing that stands still now is missed. */
  async stop(): Promise<Waits> {
    this.#asking = false;
    await this.#asked;
    for (let more = 0; more < 3 && this.#waits.failed === 0; more += 1) await this.#ask();
    this.#own.disable();
    this.#waits.ownMs = Math.max(0, this.#own.max / 1e6 - RESOLUTION_MS);
    return this.#waits;
  }

  close(): Promise<void> {
    this.#asking = false;
    return this.#client.close();
  }

  async #askOnAndOn(): Promise<void> {
    while (this.#asking && this.#waits.failed === 0) {
      await this.#ask();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #ask(): Promise<void> {
    const params = { session: this.#session, mailboxes: ['INBOX'] };
    const { ms, result } = await this.#client.request('mailbox.status', params, TIMEOUT_MS);
    this.#waits.asked += 1;
    if (!result) this.#waits.failed += 1;
    this.#waits.longestMs = Math.max(this.#waits.longestMs, ms);
  }
}

function nothingYet(): Waits {
  return { asked: 0, failed: 0, longestMs: 0, ownMs: 0 };
}
