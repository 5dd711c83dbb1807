import type { BrokerError } from '../../protocol/errors.js';
import type { StatusText, UntaggedResponse } from './response.js';
import type { ImapArgument } from './tokens.js';
import type { Packets } from './writer.js';

/** Takes the untagged responses of one keyword while a command is under way. */
export type UntaggedHandler = (response: UntaggedResponse) => void;

export interface CommandOptions {
  name: string;
  args?: readonly ImapArgument[];
  /** Handlers of untagged responses, by keyword in upper case. */
  untagged?: Readonly<Record<string, UntaggedHandler>>;
  /** Memory for the octets of the first large literal, whose value is then a part of this buffer. */
  landing?: Buffer | undefined;
  /** Called on the continuation request, by which the server begins the IDLE. */
  onContinue?: () => void;
}

/** A command from its call to its end. */
export class Command {
  readonly tag: string;
  readonly options: CommandOptions;
  readonly done: Promise<StatusText>;
  /** Packets that are still to be sent; the first is sent at once. */
  readonly packets: Packets;
  readonly begunAt = performance.now();
  #failure: { error: unknown } | undefined;
  #resolve: (ok: StatusText) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(tag: string, options: CommandOptions, packets: Packets) {
    this.tag = tag;
    this.options = options;
    this.packets = packets;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  handles(keyword: string): boolean {
    return this.options.untagged?.[keyword] !== undefined;
  }

  /** Passes a response to its handler. An error of the handler is thrown by the command once the command is done. */
  take(response: UntaggedResponse): void {
    if (this.#failure) return;
    try {
      this.options.untagged?.[response.keyword]?.(response);
    } catch (error) {
      this.#failure = { error };
    }
  }

  succeed(ok: StatusText): void {
    if (this.#failure) this.#reject(this.#failure.error);
    else this.#resolve(ok);
  }

  fail(error: BrokerError): void {
    this.#reject(error);
  }
}
