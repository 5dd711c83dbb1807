import type { Client, Result } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import { plain, table, widthOf } from '../table.js';
import { Terminal, type TerminalEvent } from '../terminal.js';
import { formatBytes } from '../units.js';
import { columnsOf } from './lists.js';
import { headLines } from './status.js';

/** Milliseconds between two updates of the screen. */
const EVERY_MS = 1_000;
/** Milliseconds without an answer after which the broker is taken to be away. */
const ANSWER_MS = 5_000;
/** Rows that the broker answers at once, at most: the bound of account.list. */
const MOST_ROWS = 1_000;

const COLUMNS = columnsOf(
  ['TENANT', 'SERVER', 'USER'],
  ['BUSY', 'WAITING', 'IDLE', 'WATCHING', 'SESSIONS', 'WATCHES', 'VIEWS'],
);

/** The column of the login name. */
const USER = 2;
/** Least width of the login name, and least number of columns: up to that of waiting requests. */
const LEAST_NAME = 20;
const LEAST_COLUMNS = USER + 3;

/** What accounts are sorted by, by the key that is pressed for it. */
const SORTS = {
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
export const top: AdminWork = async ({ client }) => {
  const terminal = new Terminal();
  try {
    await show(client, terminal);
  } catch (error) {
    if (!terminal.ended.aborted) throw error;
  } finally {
    terminal.leave();
  }
  return undefined;
};

async function show(client: Client, terminal: Terminal): Promise<void> {
  let sort: Sort = 'busy';
  let seen = await fetchSeen(client, sort, terminal);
  let dueAt = performance.now() + EVERY_MS;
  while (!terminal.ended.aborted) {
    terminal.draw(screen(seen, sort, terminal.size));
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

async function fetchSeen(client: Client, sort: Sort, { ended, size }: Terminal): Promise<Seen> {
  const limit = Math.min(MOST_ROWS, Math.max(1, size.rows));
  const [status, accounts] = await Promise.all([
    client.broker.status({ timeoutMs: ANSWER_MS }, { signal: ended }),
    client.account.list({ sort, limit, timeoutMs: ANSWER_MS }, { signal: ended }),
  ]);
  return { status, accounts };
}

/** The lines of the screen: how the broker is, as many accounts as there is room for, and what keys do. */
function screen({ status, accounts }: Seen, sort: Sort, { columns, rows }: Terminal['size']): string[] {
  const head = [...headLines(status), ''];
  const list = fitRows(
    accounts.accounts.map((one) => [
      ...[one.tenant, one.server, one.user, one.busy, one.waiting, one.idle, one.watching],
      ...[one.sessions, one.watches, formatBytes(one.viewBytes)],
    ]),
    columns,
  );
  const body = [...head, ...list].slice(0, Math.max(0, rows - 1));
  const padding = Array.from({ length: Math.max(0, rows - 1 - body.length) }, () => '');
  const keys = Object.entries(SORTS).map(([key, name]) => (name === sort ? `[${key} ${name}]` : `${key} ${name}`));
  return [...body, ...padding, `q quit   sort: ${keys.join('  ')}   ${accounts.total} accounts`];
}

/** The lines of a table that fits: columns at its right are left out first, then login names are cut. */
function fitRows(rows: ReadonlyArray<readonly (string | number)[]>, width: number): string[] {
  const shown = (count: number, longest: number) => {
    const cells = rows.map((row) =>
      row.slice(0, count).map((cell, at) => (at === USER ? cutName(cell, longest) : cell)),
    );
    return table(COLUMNS.slice(0, count), cells).trimEnd().split('\n');
  };
  const widest = (lines: readonly string[]) => Math.max(...lines.map(widthOf));
  let count = COLUMNS.length;
  while (count > LEAST_COLUMNS && widest(shown(count, LEAST_NAME)) > width) count -= 1;
  const room = LEAST_NAME + width - widest(shown(count, LEAST_NAME));
  return shown(count, Math.max(LEAST_NAME, room));
}

function cutName(name: string | number, longest: number): string {
  const text = plain(String(name));
  if (widthOf(text) <= longest) return text;
  let start = '';
  for (const letter of text) {
    if (widthOf(start + letter) >= longest) break;
    start += letter;
  }
  return `${start}…`;
}
