import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchFlags } from '../../imap/messages/fetch-flags.js';
import { type OpenedMessage, type OpenOptions, openMessages } from '../../imap/messages/open-message.js';
import { breathe } from '../../imap/wire/turn-budget.js';
import type { MailboxView } from '../../view/mailbox-view.js';
import type { Views } from '../../view/views.js';
import type { PreparedHandler } from '../context.js';
import { jobOf } from '../support/job.js';
import { Prepared } from '../support/prepared.js';
import { requireSame } from '../support/same-folder.js';
import { fitting } from './fitting.js';
import { toBodyJson } from './opened-json.js';

interface Wanted extends OpenOptions {
  mailbox: string;
  uidValidity: number;
}

/** What never changes of a message is kept as JSON; the next request for it costs the server one barrier. */
export const getMessages: PreparedHandler<'message.get'> = async (context, params) => {
  const { mailbox, uidValidity, headers, maxTextBytes, only, maxAgeMs = 0 } = params;
  const options = { headers, maxTextBytes, only };
  const uids = [...new Set(params.uids)];
  const reader = context.services.views.reader(context.account.key, mailbox);
  const bodies = new Bodies(context.services.views, context.account.key, params, reader.view);
  const { value, origin } = await reader.read<string>(context.account, {
    key: JSON.stringify(['get', uidValidity, uids, headers, maxTextBytes, only]),
    maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => {
      if (view.uidValidity !== uidValidity) return undefined;
      const found = uids.map((uid) => (view.lacks(uid) ? null : bodies.cached(uid, view.flagsOf(uid))));
      return found.includes(undefined) ? undefined : openedJson(uids, found as (string | null)[]);
    },
    ahead: (view, connection) => {
      const missing = uids.filter((uid) => !view.lacks(uid) && !bodies.has(uid));
      const ready = view.uidValidity === uidValidity && missing.every((uid) => view.flagsOf(uid) !== undefined);
      if (!ready || missing.length === 0) return undefined;
      return async () => {
        for (const message of await openMessages(connection, missing, options)) {
          bodies.add(message);
          await breathe();
        }
      };
    },
    fetch: async (view, connection) => {
      requireSame(mailbox, view.uidValidity, uidValidity);
      const flags = await flagsOfKept(
        view,
        connection,
        uids.filter((uid) => bodies.has(uid)),
      );
      const found = new Map(uids.map((uid) => [uid, bodies.cached(uid, flags.get(uid))]));
      const missing = uids.filter((uid) => !found.get(uid) && !bodies.has(uid));
      if (connection.isFollowedBy(view)) view.expectOpened(missing);
      const opened = missing.length > 0 ? await openMessages(connection, missing, options) : [];
      for (const message of opened) {
        found.set(message.uid, bodies.add(message));
        await breathe();
      }
      return openedJson(
        uids,
        uids.map((uid) => found.get(uid) ?? null),
      );
    },
  });
  return new Prepared(value, origin);
};

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
  /** Bodies that this request has read; the memory of the views need not have room for them. */
  readonly #read = new Map<string, string>();

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

  /** @returns the message as JSON */
  add(message: OpenedMessage): string {
    const { uid } = message;
    const body = toBodyJson(message, this.#wanted);
    this.#read.set(this.#nameOf(uid), body);
    // Texts that were left out of this answer may have room in another.
    if (!message.omitted) this.#views.keepBody(this.#account, this.#nameOf(uid), body);
    return whole(uid, JSON.stringify(message.flags), body);
  }

  #recall(uid: number): string | undefined {
    const name = this.#nameOf(uid);
    return this.#read.get(name) ?? this.#views.recall(this.#account, name);
  }

  #nameOf(uid: number): string {
    const { mailbox, uidValidity, headers, maxTextBytes, only } = this.#wanted;
    return JSON.stringify([mailbox, uidValidity, this.#view.mailboxId, uid, headers, maxTextBytes, only]);
  }
}

function whole(uid: number, flags: string, body: string): string {
  return `{"uid":${uid},"flags":${flags},${body}`;
}
