import type { AdminWork } from '../admin.js';
import type { Column } from '../table.js';
import { spanOf } from '../units.js';
import { columnsOf, listParams, pageTable, wellOrNot } from './lists.js';

const SESSIONS: readonly Column[] = [
  { title: 'SESSION', whole: true },
  ...columnsOf(['TENANT', 'SERVER', 'USER'], ['AGE', 'EXPIRES IN']),
];
const WATCHES: readonly Column[] = [
  ...columnsOf(['TENANT', 'SERVER', 'USER']),
  { title: 'ALIVE', colour: wellOrNot('yes') },
  ...columnsOf(['MAILBOXES'], ['SOCKETS', 'LAST EVENT']),
];

/** Folders that are named in one row. */
const MOST_NAMED = 5;

/** `imap-broker sessions`: who may act on which account. */
export const sessions: AdminWork = async (context) => {
  const now = Date.now();
  context.print(await context.client.session.list(listParams(context)), (page, screen) => {
    const rows = page.sessions.map(({ id, tenant, server, user, openedAt, expiresAt }) => [
      ...[id, tenant, server, user, spanOf(Math.max(0, now - Date.parse(openedAt)))],
      spanOf(Math.max(0, Date.parse(expiresAt) - now)),
    ]);
    return pageTable(SESSIONS, rows, page, screen);
  });
  return undefined;
};

/** `imap-broker watches`: which folders are watched, for how many sockets. */
export const watches: AdminWork = async (context) => {
  context.print(await context.client.watch.list(listParams(context)), (page, screen) => {
    const rows = page.watches.map(({ tenant, server, user, alive, mailboxes, sockets, seq }) => [
      ...[tenant, server, user, alive ? 'yes' : 'no', named(mailboxes), sockets, seq],
    ]);
    return pageTable(WATCHES, rows, page, screen);
  });
  return undefined;
};

function named(mailboxes: readonly string[]): string {
  const rest = mailboxes.length - MOST_NAMED;
  return mailboxes.slice(0, MOST_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
