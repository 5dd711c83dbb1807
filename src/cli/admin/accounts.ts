import { InvalidArgumentError } from 'commander';
import type { AdminWork } from '../admin.js';
import { table } from '../table.js';

const COLUMNS = [
  { title: 'TENANT' },
  { title: 'SERVER' },
  { title: 'USER' },
  ...['IDLE', 'BUSY', 'WATCHING', 'CONNECTING', 'WAITING', 'BUDGET'].map((title) => ({ title, number: true })),
];

/** `imap-broker accounts`: who is logged in, with how many connections. */
export const accounts: AdminWork = async ({ client, print, options }) => {
  print(await client.account.list({ limit: options.limit as number }), ({ accounts: list, total }) => {
    const rows = list.map((one) => [
      ...[one.tenant, one.server, one.user],
      ...[one.idle, one.busy, one.watching, one.connecting, one.waiting, one.budget],
    ]);
    return table(COLUMNS, rows) + (total > rows.length ? `${total - rows.length} more: see --limit\n` : '');
  });
  return undefined;
};

/** The argument of `--limit`. */
export function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
}
