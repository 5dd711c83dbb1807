import type { ImapFlow } from 'imapflow';
import type { BrokerError } from '../protocol/errors.js';
import { commandError, isThrottled, replyOf } from './failures.js';
import { insideOf } from './flow-inside.js';
import type { FlowLogEntry } from './flow-options.js';

/** What became of commands and of the connection itself, as far as imapflow tells it in its log alone. */
export class FlowVerdicts {
  readonly #flow: () => ImapFlow;
  /** The last command's refusal or throttling. */
  #refusal: unknown;
  #throttled: unknown;
  #fatal: unknown;
  #opened = false;

  constructor(flow: () => ImapFlow) {
    this.#flow = flow;
  }

  /** What ended the connection, where that was something worth telling. */
  get fatal(): unknown {
    return this.#fatal;
  }

  get throttled(): unknown {
    return this.#throttled;
  }

  /** Whether the last command was neither refused nor put off. */
  get clean(): boolean {
    return this.#refusal === undefined && this.#throttled === undefined;
  }

  /** From now on a line that cannot be parsed ends the connection. */
  opened(): void {
    this.#opened = true;
  }

  /** Another command begins. */
  clear(): void {
    this.#refusal = undefined;
    this.#throttled = undefined;
  }

  noteFatal(failure: unknown): void {
    this.#fatal ??= failure;
  }

  noteWarning({ err }: FlowLogEntry): void {
    if (isThrottled(err)) {
      this.#throttled = err;
      // imapflow would keep the connection waiting for minutes; whoever asked is told how long instead.
      queueMicrotask(() => {
        for (const wait of insideOf(this.#flow())._throttleWaits) wait.resolve(true);
      });
    } else if (replyOf(err)) {
      this.#refusal = err;
    }
  }

  noteError({ err, payloadBytes }: FlowLogEntry): void {
    // imapflow skips a line that it cannot parse: rows would be missing from an answer and nobody would know.
    if (payloadBytes === undefined || !this.#opened) return;
    this.#fatal ??= err;
    // Behind imapflow's own look at the line: it may be a refusal of which only the tag is missing.
    queueMicrotask(() => this.#flow().close());
  }

  /** The error of a command that failed with something. */
  failed(failure: unknown, usable: boolean): BrokerError {
    const why = this.#throttled ?? failure;
    return usable ? commandError(why) : this.lost(why);
  }

  /** The error of a command that imapflow passes over; undefined where there is no reason. */
  hidden(): BrokerError | undefined {
    return this.clean ? undefined : commandError(this.#throttled ?? this.#refusal);
  }

  /** The error of a command whose connection has ended, whatever imapflow tripped over then. */
  lost(failure?: unknown): BrokerError {
    const why = replyOf(failure) || isThrottled(failure) ? failure : (this.#fatal ?? failure);
    return commandError(why, { bye: this.#flow().byeReason });
  }
}
