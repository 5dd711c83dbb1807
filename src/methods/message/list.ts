import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchPage, type PageStart } from '../../imap/messages/index-page.js';
import type { Field } from '../../protocol/rows.js';
import type { MailboxView } from '../../view/mailbox-view.js';
import { fetchedPage, knownPage, type Page } from '../../view/page.js';
import { isUnchanged, rowsJson, stateOf, unchangedJson } from '../../view/state.js';
import type { PreparedHandler } from '../context.js';
import { jobOf } from '../support/job.js';
import { Prepared } from '../support/prepared.js';
import { requireSame } from '../support/same-folder.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';

/** The cursor names a uid, so mail that arrives or vanishes between two pages neither repeats nor hides a message. */
export const listMessages: PreparedHandler<'message.list'> = async (context, params) => {
  const { mailbox, limit, cursor, ifState, maxAgeMs = 0 } = params;
  const start = cursor === undefined ? undefined : decodeCursor(mailbox, cursor);
  const fields = [...new Set(params.fields)];
  // Where both are given, both must hold.
  const expected = [params.uidValidity, start?.uidValidity].filter((value) => value !== undefined);
  const request = { start, limit, fields };
  const key = JSON.stringify(['list', limit, cursor, fields, params.uidValidity, ifState]);
  const reader = context.services.views.reader(context.account.key, mailbox);
  // What the server does not tell of by itself is asked for in any case.
  const unheard = reader.view.rows.changesUnheard(fields);
  const { value, origin } = await reader.read<string>(context.account, {
    key,
    maxAgeMs: unheard ? 0 : maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => {
      if (!expected.every((value) => value === view.uidValidity)) return undefined;
      if (ifState !== undefined && !unheard && isUnchanged(view, ifState, 'members')) return unchangedJson(ifState);
      const page = knownPage(view, request);
      return page && listJson(mailbox, view, page, fields);
    },
    fetch: async (view, connection) => {
      for (const value of expected) requireSame(mailbox, view.uidValidity, value);
      const page = await fetchedPage(view, connection, request);
      return page ? listJson(mailbox, view, page, fields) : farAway(connection, mailbox, request);
    },
  });
  return new Prepared(value, origin);
};

/** The answer as JSON, without its `meta` and its end. */
function listJson(mailbox: string, view: MailboxView, page: Page, fields: readonly Field[]): string {
  const { uidValidity = 0, members } = view;
  const cursor = page.next ? encodeCursor({ mailbox, uidValidity, ...page.next }) : null;
  const rows = rowsJson(view, page, fields);
  const rest = `"nextCursor":${JSON.stringify(cursor)},"state":"${stateOf(view)}"`;
  return `"uidValidity":${uidValidity},"total":${members.exists},"messages":${rows},${rest}`;
}

/** A page far below the known pages, fetched without being kept. */
async function farAway(
  connection: ImapConnection,
  mailbox: string,
  { start, limit, fields }: { start: PageStart; limit: number; fields: readonly Field[] },
): Promise<string> {
  const { uidValidity, exists } = await connection.select(mailbox);
  const { messages, next } = await fetchPage(connection, start, limit, fields);
  const nextCursor = next ? encodeCursor({ mailbox, uidValidity, ...next }) : null;
  const total = connection.selected?.exists ?? exists;
  return JSON.stringify({ uidValidity, total, messages, nextCursor, state: null }).slice(1, -1);
}
