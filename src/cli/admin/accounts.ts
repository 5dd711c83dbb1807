import type { AdminWork } from '../admin.js';
import { formatBytes, spanOf } from '../units.js';
import { columnsOf, listParams, pageTable } from './lists.js';

const NAMES = ['TENANT', 'SERVER', 'USER'];
const ACCOUNTS = columnsOf(NAMES, ['SESSIONS', 'WATCHES', 'VIEWS', 'CONNECTIONS', 'WAITING']);
const POOLS = columnsOf(NAMES, ['WAITING', 'LONGEST WAIT', 'BUSY', 'IDLE', 'WATCHING', 'CONNECTING', 'BUDGET']);

/** `imap-broker accounts`: the accounts in use, and how much of the broker each takes. */
export const accounts: AdminWork = async (context) => {
  context.print(await context.client.account.list(listParams(context)), (page, screen) => {
    const rows = page.accounts.map((one) => [
      ...[one.tenant, one.server, one.user, one.sessions, one.watches, formatBytes(one.viewBytes)],
      ...[one.idle + one.busy + one.watching, one.waiting],
    ]);
    return pageTable(ACCOUNTS, rows, page, screen);
  });
  return undefined;
};

/** `imap-broker pools`: the same accounts, by what their connections do. */
export const pools: AdminWork = async (context) => {
  context.print(await context.client.account.list(listParams(context)), (page, screen) => {
    const rows = page.accounts.map((one) => [
      ...[one.tenant, one.server, one.user, one.waiting, one.waiting === 0 ? '-' : spanOf(one.longestWaitMs)],
      ...[one.busy, one.idle, one.watching, one.connecting, one.budget],
    ]);
    return pageTable(POOLS, rows, page, screen);
  });
  return undefined;
};
