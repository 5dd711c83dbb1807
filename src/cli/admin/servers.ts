import type { Result } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import type { Colour } from '../screen.js';
import { type Column, table } from '../table.js';
import { columnsOf } from './lists.js';

type ServerState = Result<'server.list'>['servers'][number]['state'];

/** Each state of a server has its colour, wherever it is shown. */
export const STATE_COLOURS: Record<ServerState, Colour | undefined> = {
  reachable: 'green',
  failing: 'yellow',
  'backing off': 'red',
  paused: 'yellow',
  untried: undefined,
};

const COLUMNS: readonly Column[] = [
  { title: 'SERVER' },
  { title: 'STATE', whole: true, colour: (state) => STATE_COLOURS[state as ServerState] },
  ...columnsOf([], ['FAILED', 'RETRY IN', 'CONNECTIONS', 'LIMIT', 'WAITING', 'ACCOUNTS', 'REDUCED']),
];

/** `imap-broker servers`: whether the IMAP servers can be reached, and how many connections they let users have. */
export const servers: AdminWork = async ({ client, print }) => {
  print(await client.server.list({}), ({ servers: list }, screen) =>
    table(
      COLUMNS,
      list.map((one) => [
        ...[one.name, one.state, one.failures],
        one.retryAfterMs > 0 ? `${Math.ceil(one.retryAfterMs / 1000)}s` : '-',
        one.connections,
        one.learnedLimit === null ? one.connectionLimit : `${one.connectionLimit} (learned)`,
        ...[one.waiting, one.accounts, one.reduced],
      ]),
      screen,
    ),
  );
  return undefined;
};
