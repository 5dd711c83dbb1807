import type { AdminWork } from '../admin.js';
import { formatBytes, spanOf } from '../units.js';
import { columnsOf, listParams, pageTable } from './lists.js';

const NAMES = ['TENANT', 'SERVER', 'USER'];
const ACCOUNTS = columnsOf(NAMES, ['SESSIONS', 'WATCHES', 'VIEWS', 'CONNECTIONS', 'WAITING']);
const POOLS = columnsOf(NAMES, ['IDLE', 'BUSY', 'WATCHING', 'CONNECTING', 'BUDGET', 'WAITING', 'LONGEST WAIT']);

/** `imap-broker accounts`: the accounts in use, and how much of the broker each takes. */
export const accounts: AdminWork = async (context) => {
  context.print(await context.client.account.list(listParams(context)), (page) => {
    const rows = page.accounts.map((one) => [
      ...[one.tenant, one.server, one.user, one.sessions, one.watches, formatBytes(one.viewBytes)],
      ...[one.idle + one.busy + one.watching, one.waiting],
    ]);
    return pageTable(ACCOUNTS, rows, page);
  });
  return undefined;
};

/** `imap-broker pools`: the same accounts, by what their connections do. */
export const pools: AdminWork = async (context) => {
  context.print(await context.client.account.list(listParams(context)), (page) => {
    const rows = page.accounts.map((one) => [
      ...[one.tenant, one.server, one.user, one.idle, one.busy, one.watching, one.connecting, one.budget],
      ...[one.waiting, one.waiting === 0 ? '-' : spanOf(one.longestWaitMs)],
    ]);
    return pageTable(POOLS, rows, page);
  });
  return undefined;
};
