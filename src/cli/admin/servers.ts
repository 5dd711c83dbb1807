import type { AdminWork } from '../admin.js';
import { table } from '../table.js';

const COLUMNS = [
  { title: 'SERVER' },
  { title: 'BREAKER' },
  ...['FAILURES', 'RETRY IN', 'CONNECTIONS'].map((title) => ({ title, number: true })),
];

/** `imap-broker servers`: whether the IMAP servers can be reached. */
export const servers: AdminWork = async ({ client, print }) => {
  print(await client.server.list({}), ({ servers: list }) =>
    table(
      COLUMNS,
      list.map(({ name, state, failures, retryAfterMs, connections }) => [
        ...[name, state, failures],
        retryAfterMs > 0 ? `${Math.ceil(retryAfterMs / 1000)} s` : '-',
        connections,
      ]),
    ),
  );
  return undefined;
};
