import type { UntaggedHandler } from '../wire/command.js';
import type { StatusText } from '../wire/response.js';
import type { ImapArgument, ImapAttribute } from '../wire/tokens.js';

/** Options that only a few commands need. */
export interface ExecOptions {
  /** Memory for the octets of the first large literal, whose value is then a part of this buffer. */
  landing?: Buffer | undefined;
  /** Called on the continuation request, by which the server begins the IDLE. */
  onContinue?: () => void;
}

/** A response of the server that could not be read, for the log. */
export interface Unreadable {
  response: string;
  mailbox: string | undefined;
  uid?: number | undefined;
  items?: readonly string[];
}

/** What can be done with any connection that is logged in. */
export interface Commands {
  /** Whether commands can be sent. */
  readonly usable: boolean;
  /** Sends a command and waits for its end. */
  exec(
    effect: 'read' | 'write',
    name: string,
    args?: readonly ImapArgument[],
    untagged?: Readonly<Record<string, UntaggedHandler>>,
    options?: ExecOptions,
  ): Promise<StatusText>;
  /** Sends the commands that `begin` begins at once in one packet. */
  together<T>(begin: () => T): T;
  /** A folder name that the server told, in Unicode. */
  nameOf(attribute: ImapAttribute | undefined): string;
}
