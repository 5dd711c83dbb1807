import type { AdminWork } from '../admin.js';
import { table } from '../table.js';
import { columnsOf } from './lists.js';

const COLUMNS = columnsOf(
  ['SERVER', 'BREAKER'],
  ['FAILURES', 'RETRY IN', 'CONNECTIONS', 'LIMIT', 'ACCOUNTS', 'WAITING', 'REDUCED'],
);

/** `imap-broker servers`: whether the IMAP servers can be reached, and how many connections they let users have. */
export const servers: AdminWork = async ({ client, print }) => {
  print(await client.server.list({}), ({ servers: list }) =>
    table(
      COLUMNS,
      list.map((one) => [
        ...[one.name, one.state, one.failures],
        one.retryAfterMs > 0 ? `${Math.ceil(one.retryAfterMs / 1000)}s` : '-',
        one.connections,
        one.learnedLimit === null ? one.connectionLimit : `${one.connectionLimit} (learned)`,
        ...[one.accounts, one.waiting, one.reduced],
      ]),
    ),
  );
  return undefined;
};
