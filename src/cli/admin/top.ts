import type { Client, Result } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import { fill, type Screen, unbounded } from '../screen.js';
import { fitted } from '../table.js';
import { Terminal, type TerminalEvent } from '../terminal.js';
import { counted, formatBytes } from '../units.js';
import { columnsOf } from './lists.js';
import { headLines, loadCells } from './status.js';

/** Milliseconds between two updates of the screen. */
const EVERY_MS = 1_000;
/** Milliseconds without an answer after which the broker is taken to be away. */
const ANSWER_MS = 5_000;
/** Rows that the broker answers at once, at most: the bound of account.list. */
const MOST_ROWS = 1_000;

const COLUMNS = columnsOf(
  ['TENANT', 'SERVER', 'USER'],
  [...['REQ/S', 'P50', 'P95', 'P99', 'BUSY', 'WAITING', 'IDLE', 'WATCHING'], ...['SESSIONS', 'WATCHES', 'VIEWS']],
);

/** What accounts are sorted by, by the key that is pressed for it. */
const SORTS = {
  r: 'requests',
  l: 'latency',
  b: 'busy',
  w: 'waiting',
  c: 'connections',
  s: 'sessions',
  f: 'watches',
  o: 'oldest',
} as const;
type Sort = (typeof SORTS)[keyof typeof SORTS];

interface Seen {
  status: Result<'broker.status'>;
  accounts: Result<'account.list'>;
}

/** `imap-broker top`: the broker and its busiest accounts, live. */
export const top: AdminWork = async ({ client, output }) => {
  const terminal = new Terminal();
  try {
    await show(client, terminal, () => output.terminal ?? unbounded);
  } catch (error) {
    if (!terminal.ended.aborted) throw error;
  } finally {
    terminal.leave();
  }
  return undefined;
};

async function show(client: Client, terminal: Terminal, screen: () => Screen): Promise<void> {
  let sort: Sort = 'requests';
  let seen = await fetchSeen(client, sort, terminal);
  let dueAt = performance.now() + EVERY_MS;
  while (!terminal.ended.aborted) {
    terminal.draw(lines(seen, sort, terminal.rows, screen()));
    const event = await terminal.next(Math.max(0, dueAt - performance.now()));
    const wanted = sortOf(event);
    const isDrawnOnly = event !== undefined && (wanted === undefined || wanted === sort);
    if (isDrawnOnly || terminal.ended.aborted) continue;
    sort = wanted ?? sort;
    seen = await fetchSeen(client, sort, terminal);
    dueAt = performance.now() + EVERY_MS;
  }
}

function sortOf(event: TerminalEvent | undefined): Sort | undefined {
  if (typeof event !== 'object' || !Object.hasOwn(SORTS, event.key)) return undefined;
  return SORTS[event.key as keyof typeof SORTS];
}

async function fetchSeen(client: Client, sort: Sort, { ended, rows }: Terminal): Promise<Seen> {
  const limit = Math.min(MOST_ROWS, Math.max(1, rows));
  const [status, accounts] = await Promise.all([
    client.broker.status({ timeoutMs: ANSWER_MS }, { signal: ended }),
    client.account.list({ sort, limit, timeoutMs: ANSWER_MS }, { signal: ended }),
  ]);
  return { status, accounts };
}

/** The lines of the screen: how the broker is, as many accounts as there is room for, and what keys do. */
function lines({ status, accounts }: Seen, sort: Sort, rows: number, screen: Screen): string[] {
  const list = accounts.accounts.map((one) => [
    ...[one.tenant, one.server, one.user, ...loadCells(one), one.busy, one.waiting, one.idle, one.watching],
    ...[one.sessions, one.watches, formatBytes(one.viewBytes)],
  ]);
  const keys = Object.entries(SORTS).map(([key, name]) => (name === sort ? `[${key} ${name}]` : `${key} ${name}`));
  const foot = fill('', [counted(accounts.total, 'account'), 'q quit', 'sort:', ...keys], screen, 0);
  const room = Math.max(0, rows - foot.length);
  const body = [...headLines(status, screen), '', ...fitted(COLUMNS, list, screen).lines].slice(0, room);
  const padding = Array.from({ length: room - body.length }, () => '');
  return [...body, ...padding, ...foot];
}
