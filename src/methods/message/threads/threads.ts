import type { ImapConnection } from '../../../imap/connection/connection.js';
import { isFleeting } from '../../../imap/messages/search/search.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { MailboxView } from '../../../view/mailbox-view.js';
import { isUnchanged, listStateOf, unchangedJson } from '../../../view/state.js';
import {
  fetchedThreadPage,
  knownThreadPage,
  type ThreadPage,
  type ThreadRequest,
} from '../../../view/threads/thread-page.js';
import type { PreparedHandler } from '../../context.js';
import { canonical } from '../../support/canonical.js';
import { jobOf } from '../../support/job.js';
import { Prepared } from '../../support/prepared.js';
import { requireSame } from '../../support/same-folder.js';
import { decodeThreadCursor, encodeThreadCursor } from './thread-cursor.js';

/** Makes what depends on the time of day unlike what was asked before. */
let asked = 0;

/** Conversations are found once and kept with the view: until something changes, a page costs one barrier. */
export const listThreads: PreparedHandler<'message.threads'> = async (context, params) => {
  const { mailbox, limit, cursor, offset, ifState, sort, whole, filter, maxAgeMs = 0 } = params;
  if (cursor !== undefined && offset !== undefined) {
    throw new BrokerError('INVALID_PARAMS', 'offset: not together with cursor.', { field: 'offset' });
  }
  const text = canonical(filter);
  const list = JSON.stringify([mailbox, sort, whole, text]);
  const begun = cursor === undefined ? undefined : decodeThreadCursor(list, cursor);
  const expected = [params.uidValidity, begun?.uidValidity].filter((value) => value !== undefined);
  const fields = [...new Set(params.fields)];
  const timed = isFleeting(filter);
  if (timed) asked += 1;
  const filterKey = timed ? `${text}${asked}` : text;
  const start = { anchor: begun?.anchor, offset: begun?.offset ?? offset ?? 0 };
  const request: ThreadRequest = { filter, filterKey, whole, sort, start, limit, fields };
  const reader = context.services.views.reader(context.account.key, mailbox);
  const json = (view: MailboxView, page: ThreadPage) => {
    const { uidValidity = 0 } = view;
    const next = page.next ? encodeThreadCursor(list, { uidValidity, ...page.next }) : null;
    const pages = `"nextOffset":${page.next?.offset ?? null},"nextCursor":${JSON.stringify(next)}`;
    const found = `"uidValidity":${uidValidity},"total":${page.total},"threads":${page.threads}`;
    return `${found},${pages},"threadedBy":"${view.conversations.by}","state":"${listStateOf(view, page.uids)}"`;
  };
  // What the server does not tell of by itself is asked for in any case.
  const unheard = reader.view.rows.changesUnheard(fields);
  const { value, origin } = await reader.read<string>(context.account, {
    key: JSON.stringify(['threads', list, filterKey, start, limit, fields, params.uidValidity, ifState]),
    maxAgeMs: unheard ? 0 : maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => {
      if (!expected.every((value) => value === view.uidValidity)) return undefined;
      if (ifState !== undefined && !timed && !unheard && isUnchanged(view, ifState, 'folder'))
        return unchangedJson(ifState);
      const page = knownThreadPage(view, request);
      return page && json(view, page);
    },
    fetch: async (view, connection) => {
      for (const value of expected) requireSame(mailbox, view.uidValidity, value);
      const page = await fetchedThreadPage(view, connection, request);
      return page ? json(view, page) : unsettled(connection, mailbox);
    },
  });
  return new Prepared(value, origin);
};

/** @throws BrokerError always: what became of the folder, or IMAP_NO */
async function unsettled(connection: ImapConnection, mailbox: string): Promise<never> {
  await connection.select(mailbox);
  throw new BrokerError('IMAP_NO', 'The folder changes too quickly to be read.', { field: 'mailbox' });
}
