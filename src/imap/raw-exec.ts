import type { ImapFlow } from 'imapflow';
import { decodePath, encodePath, enhanceCommandError } from 'imapflow/lib/tools.js';
import type { ImapConnection } from './connection.js';
import { landOn } from './flow-reader.js';

/** One token of a response: a value, with the bracketed section that may follow it. */
export interface ImapToken {
  type: string;
  value?: string | Buffer | number | null | undefined;
  section?: ImapAttribute[] | undefined;
}

/** What a response consists of: tokens, lists in parentheses, and null for NIL. */
export type ImapAttribute = ImapToken | ImapAttribute[] | null;

/** A folder name in Unicode, to be sent in the encoding that the connection speaks. See {@link mailboxName}. */
interface MailboxArgument {
  mailbox: string;
}

/** What a command is built from: a bare string goes out as a quoted string. */
export type ImapArgument = ImapToken | MailboxArgument | string | number | ImapArgument[];

/** An untagged response, as imapflow parsed it. */
export interface UntaggedResponse {
  /** The keyword, or the number before it (`* 5 FETCH` has `5`). */
  command: string;
  attributes: ImapAttribute[];
  /** Of a SEARCH line that holds numbers only. */
  numbers: number[] | undefined;
}

/** Takes one untagged response. `nameOf` decodes an attribute that is a folder name. */
export type UntaggedHandler = (
  response: UntaggedResponse,
  nameOf: (attribute: ImapAttribute | undefined) => string,
) => void;

/** The tagged OK of a command. */
export interface TaggedOk {
  /** Response code in upper case, for instance `COPYUID`. */
  code: string | undefined;
  codeArgs: ImapAttribute[];
  text: string;
}

/** Synchronous, so that no row of an answer costs a turn of the loop. */
type GuardedHandlers = Record<string, (untagged: Partial<UntaggedResponse>) => void>;

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  preCheck: (() => Promise<unknown>) | false | undefined;
  exec(
    command: string,
    attributes: unknown[],
    options: { untagged: GuardedHandlers },
  ): Promise<{ response: { attributes?: ImapAttribute[] }; next: () => void }>;
}

/** An atom, sent as it is: keywords such as `RETURN`, flags, numbers of 64 bits. */
export const atom = (value: string): ImapToken => ({ type: 'ATOM', value });

/** A set of uids or sequence numbers, for instance `1:5,9`. */
export const sequence = (value: string): ImapToken => ({ type: 'SEQUENCE', value });

/** A string that may hold anything: sent as a literal. */
export const literal = (value: string | Buffer): ImapToken => ({ type: 'LITERAL', value });

/** A folder name in Unicode, always quoted: imapflow's atoms let a name through that begins with a backslash. */
export const mailboxName = (name: string): MailboxArgument => ({ mailbox: name });

/** The text of a token; empty for NIL and lists. */
export function textOf(attribute: ImapAttribute | undefined): string {
  if (!attribute || Array.isArray(attribute)) return '';
  return attribute.value == null ? '' : attribute.value.toString();
}

/** The number of a token; undefined where it is none. */
export function numberOf(attribute: ImapAttribute | undefined): number | undefined {
  const text = textOf(attribute);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The members of a list in parentheses; none for anything else. */
export function listOf(attribute: ImapAttribute | undefined): ImapAttribute[] {
  return Array.isArray(attribute) ? attribute : [];
}

/**
 * Sends a command that imapflow has no method for, or whose method changes what it is given.
 * `untagged` takes the responses of its keywords, in upper case (`FETCH` also for `* 5 FETCH`), instead of imapflow.
 * @param landing memory for the octets of the first large literal, which is part of it then
 * @throws BrokerError IMAP_NO or NOT_FOUND with the server's words, CONNECTION_LOST; and what a handler throws, once
 * the command is done
 */
export async function rawExec(
  connection: ImapConnection,
  effect: 'read' | 'write',
  command: string,
  args: ImapArgument[] = [],
  untagged: Record<string, UntaggedHandler> = {},
  landing?: Buffer,
): Promise<TaggedOk> {
  const guard = new HandlerGuard();
  const ok = await connection.command(effect, async (flow) => {
    const inside = flow as unknown as FlowInside;
    // An IDLE under way must be ended first; imapflow leaves here how.
    if (typeof inside.preCheck === 'function') await inside.preCheck();
    const attributes = args.map((argument) => compiled(flow, argument));
    if (landing) landOn(flow, landing);
    try {
      const { response, next } = await inside.exec(command, attributes, { untagged: guard.wrap(flow, untagged) });
      // The reader waits for this; nothing that may throw comes before it.
      next();
      return taggedOk(response.attributes ?? []);
    } catch (failure) {
      throw await enhanceCommandError(failure as Parameters<typeof enhanceCommandError>[0]);
    } finally {
      if (landing) landOn(flow, undefined);
    }
  });
  guard.rethrow();
  return ok;
}

/** Keeps a handler's throw from imapflow, which would answer it by dropping the response silently. */
class HandlerGuard {
  #failure: { error: unknown } | undefined;

  wrap(flow: ImapFlow, untagged: Record<string, UntaggedHandler>): GuardedHandlers {
    const nameOf = (attribute: ImapAttribute | undefined) => decodePath(flow, textOf(attribute));
    const handlers: GuardedHandlers = {};
    for (const [keyword, handle] of Object.entries(untagged)) {
      handlers[keyword] = ({ command = '', attributes, numbers }) => {
        if (this.#failure) return;
        try {
          handle({ command, attributes: attributes ?? [], numbers }, nameOf);
        } catch (error) {
          this.#failure = { error };
        }
      };
    }
    return handlers;
  }

  rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

function compiled(flow: ImapFlow, argument: ImapArgument): unknown {
  if (Array.isArray(argument)) return argument.map((member) => compiled(flow, member));
  if (typeof argument === 'object' && 'mailbox' in argument) {
    return { type: 'STRING', value: encodePath(flow, argument.mailbox) };
  }
  return argument;
}

function taggedOk(attributes: ImapAttribute[]): TaggedOk {
  const first = attributes[0];
  const section = first && !Array.isArray(first) ? first.section : undefined;
  const text = attributes.find((attribute) => attribute && !Array.isArray(attribute) && attribute.type === 'TEXT');
  return {
    code: section ? textOf(section[0]).toUpperCase() : undefined,
    codeArgs: section ? section.slice(1) : [],
    text: textOf(text),
  };
}
