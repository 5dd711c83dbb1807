import { staysInReplaced } from '../../imap/connection/capabilities.js';
import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchFlags } from '../../imap/messages/fetch-flags.js';
import { type OpenedMessage, type OpenOptions, openMessages } from '../../imap/messages/open-message.js';
import { breathe } from '../../imap/wire/turn-budget.js';
import type { Params } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import type { MailboxView } from '../../view/mailbox-view.js';
import type { Views } from '../../view/views.js';
import type { PreparedHandler } from '../context.js';
import { jobOf } from '../support/job.js';
import { Prepared } from '../support/prepared.js';
import { requireSame } from '../support/same-folder.js';
import { fitting } from './fitting.js';
import { toBodyJson } from './opened-json.js';
import { SeenMarks } from './seen-marks.js';

interface Wanted extends OpenOptions {
  mailbox: string;
  uidValidity: number;
}

/** What never changes of a message is kept as JSON; the next request for it costs the server one barrier. */
export const getMessages: PreparedHandler<'message.get'> = async (context, params) => {
  const { mailbox, uidValidity, maxAgeMs = 0, markSeen = false } = params;
  const options = optionsOf(params);
  const uids = [...new Set(params.uids)];
  const reader = context.services.views.reader(context.account.key, mailbox);
  const bodies = new Bodies(
    context.services.views,
    context.account.key,
    { ...options, mailbox, uidValidity },
    reader.view,
  );
  const marks = new SeenMarks(context, mailbox, markSeen);
  const { value, origin } = await reader.read<string>(context.account, {
    key: JSON.stringify(['get', uidValidity, uids, options, markSeen]),
    maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => {
      if (view.uidValidity !== uidValidity) return undefined;
      const found = uids.map((uid) => {
        if (view.lacks(uid)) return null;
        const flags = view.flagsOf(uid);
        return flags === undefined || marks.lacks(uid, flags) ? undefined : bodies.cached(uid, marks.shown(uid, flags));
      });
      return found.includes(undefined) ? undefined : openedJson(uids, found as (string | null)[]);
    },
    ahead: (view, connection) => {
      const there = uids.filter((uid) => !view.lacks(uid));
      const missing = there.filter((uid) => !bodies.has(uid));
      const ready = view.uidValidity === uidValidity && missing.every((uid) => view.flagsOf(uid) !== undefined);
      // A write must not go to a folder that has replaced the selected one.
      const unmarked = staysInReplaced(connection)
        ? []
        : there.filter((uid) => view.flagsOf(uid) !== undefined && marks.lacks(uid, view.flagsOf(uid)));
      if (!ready || missing.length + unmarked.length === 0) return undefined;
      return async () => {
        for (const message of await openAndMark(connection, missing, options, marks, unmarked)) {
          bodies.add(message);
          await breathe();
        }
      };
    },
    fetch: async (view, connection) => {
      requireSame(mailbox, view.uidValidity, uidValidity);
      const kept = uids.filter((uid) => bodies.has(uid));
      const flags = await flagsOfKept(view, connection, kept);
      const missing = uids.filter((uid) => !bodies.has(uid));
      if (connection.isFollowedBy(view)) view.expectOpened(missing);
      const unmarked = uids.filter((uid) =>
        bodies.has(uid) ? flags.has(uid) && marks.lacks(uid, flags.get(uid)) : marks.lacks(uid, view.flagsOf(uid)),
      );
      for (const message of await openAndMark(connection, missing, options, marks, unmarked)) {
        bodies.add(message);
        flags.set(message.uid, JSON.stringify(message.flags));
        await breathe();
      }
      const found = uids.map((uid) => {
        const now = flags.get(uid);
        return (now !== undefined && bodies.cached(uid, marks.shown(uid, now))) || null;
      });
      return openedJson(uids, found);
    },
  });
  return new Prepared(value, origin);
};

/**
 * What is to be fetched; names of header lines in one form, because equal requests share an answer.
 * @throws BrokerError INVALID_PARAMS for a part of several messages
 */
function optionsOf({ part, uids, headers, maxTextBytes, only }: Params<'message.get'>): OpenOptions {
  if (part !== undefined && uids.length > 1) {
    throw new BrokerError('INVALID_PARAMS', 'uids, part: a part is opened of one message; name one uid.', {
      field: 'uids',
    });
  }
  const names = typeof headers === 'object' && [...new Set(headers.map((name) => name.toLowerCase()))].sort();
  return { part, headers: names || headers, maxTextBytes, only };
}

/**
 * Opens messages, and in the same packet marks those that are unmarked. An attached message is opened first: only its
 * structure tells whether there is one, and a request that fails must not mark anything.
 */
async function openAndMark(
  connection: ImapConnection,
  uids: readonly number[],
  options: OpenOptions,
  marks: SeenMarks,
  unmarked: readonly number[],
): Promise<OpenedMessage[]> {
  if (options.part !== undefined && uids.length > 0) {
    const opened = await openMessages(connection, uids, options);
    await marks.mark(connection, unmarked);
    return opened;
  }
  const [opening, marking] = connection.together(
    () =>
      [
        uids.length > 0 ? openMessages(connection, uids, options) : Promise.resolve([]),
        marks.mark(connection, unmarked),
      ] as const,
  );
  // Both commands end before the connection is lent again.
  const [opened, marked] = await Promise.allSettled([opening, marking]);
  if (opened.status === 'rejected') throw opened.reason;
  if (marked.status === 'rejected') throw marked.reason;
  return opened.value;
}

/** The answer as JSON, without its `meta` and its end; null stands for a message that is not there. */
function openedJson(uids: readonly number[], found: readonly (string | null)[]): string {
  const messages = fitting(found.filter((message) => message !== null));
  const notFound = uids.filter((_uid, index) => found[index] === null);
  return `"messages":[${messages.join(',')}],"notFound":${JSON.stringify(notFound)}`;
}

/** Flags as JSON of messages whose bodies are kept: from the view, else from the server. */
async function flagsOfKept(
  view: MailboxView,
  connection: ImapConnection,
  uids: readonly number[],
): Promise<Map<number, string>> {
  const flags = new Map<number, string>();
  for (const uid of uids) {
    const current = view.flagsOf(uid);
    if (current !== undefined) flags.set(uid, current);
  }
  const unknown = uids.filter((uid) => !flags.has(uid));
  const fetched = unknown.length > 0 ? await fetchFlags(connection, unknown.join(','), 'uid') : new Map();
  for (const [uid, value] of fetched) flags.set(uid, JSON.stringify(value));
  return flags;
}

/** Opened messages of one form, as JSON without the flags. */
class Bodies {
  readonly #views: Views;
  readonly #account: string;
  readonly #wanted: Wanted;
  readonly #view: MailboxView;
  /** Bodies that this request has read or found: the memory of the views may have no room for them, or evict them. */
  readonly #held = new Map<string, string>();

  constructor(views: Views, account: string, wanted: Wanted, view: MailboxView) {
    this.#views = views;
    this.#account = account;
    this.#wanted = wanted;
    this.#view = view;
  }

  has(uid: number): boolean {
    return this.#recall(uid) !== undefined;
  }

  /** The message as JSON; undefined when its body is not kept or its flags are not known. */
  cached(uid: number, flags: string | undefined): string | undefined {
    const body = flags === undefined ? undefined : this.#recall(uid);
    return body === undefined ? undefined : whole(uid, flags ?? '[]', body);
  }

  add(message: OpenedMessage): void {
    const { uid } = message;
    const body = toBodyJson(message, this.#wanted);
    this.#held.set(this.#nameOf(uid), body);
    // Texts that were left out of this answer may have room in another.
    if (!message.omitted) this.#views.keepBody(this.#account, this.#nameOf(uid), body);
  }

  #recall(uid: number): string | undefined {
    const name = this.#nameOf(uid);
    const held = this.#held.get(name);
    if (held !== undefined) return held;
    const kept = this.#views.recall(this.#account, name);
    if (kept !== undefined) this.#held.set(name, kept);
    return kept;
  }

  #nameOf(uid: number): string {
    const { mailbox, uidValidity, part, headers, maxTextBytes, only } = this.#wanted;
    return JSON.stringify([mailbox, uidValidity, this.#view.mailboxId, uid, part, headers, maxTextBytes, only]);
  }
}

function whole(uid: number, flags: string, body: string): string {
  return `{"uid":${uid},"flags":${flags},${body}`;
}
