import type { Result } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import { type Colour, fill, type Part, type Screen } from '../screen.js';
import { table } from '../table.js';
import { formatBytes, rateOf, spanOf, tookOf } from '../units.js';
import { selectionText } from './account-selection.js';
import { columnsOf } from './lists.js';
import { STATE_COLOURS } from './servers.js';

type Status = Result<'broker.status'>;
type Account = Result<'account.list'>['accounts'][number];

/** The busiest accounts that are shown. */
const BUSIEST = 5;
const ACCOUNTS = columnsOf(['TENANT', 'SERVER', 'USER'], ['REQ/S', 'P50', 'P95', 'P99']);
/** Shares of a cap from which on it is worth a look, and urgent, in percent. */
const NEAR = 70;
const FULL = 90;

/** `imap-broker status`: one screen that says how the broker is. */
export const status: AdminWork = async ({ client, print }) => {
  const [now, { accounts }] = await Promise.all([
    client.broker.status({}),
    client.account.list({ sort: 'requests', limit: BUSIEST }),
  ]);
  const busiest = accounts.filter(({ perSecond }) => perSecond > 0);
  print({ ...now, busiest }, (_, screen) => {
    const lines = [...generalLines(now, screen), ...now.caps.flatMap((cap) => capLines(cap, screen))];
    return `${lines.join('\n')}\n${busiest.length === 0 ? '' : `\n${accountTable(busiest, screen)}`}`;
  });
  return undefined;
};

/** The status in as few lines as possible. */
export function headLines(now: Status, screen: Screen): string[] {
  const caps = now.caps.map(({ name, used, limit }): Part => {
    const shown = name === 'view bytes' ? formatBytes : String;
    const text = `${name} ${shown(used)}${limit === null ? '' : ` of ${shown(limit)}`}`;
    return { text, colour: fullness(used, limit) };
  });
  return [...generalLines(now, screen), ...fill('caps', caps, screen)];
}

/** How much an account asks for, and how long its requests take. */
export function loadCells({ perSecond, latencyMs }: Account): string[] {
  return [rateOf(perSecond), tookOf(latencyMs?.p50), tookOf(latencyMs?.p95), tookOf(latencyMs?.p99)];
}

function accountTable(accounts: readonly Account[], screen: Screen): string {
  const rows = accounts.map((one) => [one.tenant, one.server, one.user, ...loadCells(one)]);
  return table(ACCOUNTS, rows, screen);
}

function generalLines(now: Status, screen: Screen): string[] {
  const { requests, errors, shared } = now;
  const about: Part[] = [
    ...[`imap-broker ${now.version}`, now.name],
    { text: now.state, colour: now.state === 'running' ? 'green' : 'yellow' },
    ...[`up ${spanOf(now.uptimeMs)}`, `memory ${formatBytes(now.residentBytes)}`, `pid ${now.pid}`],
    ...[`Node ${now.node}`, `epoch ${now.epoch}`],
  ];
  const load: Part[] = [
    ...[`${requests.perSecond} requests/s`, `${requests.running} running`],
    { text: `${requests.waiting} waiting`, colour: requests.waiting > 0 ? 'yellow' : undefined },
    `event loop ${now.eventLoopLagMs} ms late`,
  ];
  const latency = requests.latencyMs
    ? (['p50', 'p95', 'p99'] as const).map((name) => `${name} ${tookOf(requests.latencyMs?.[name])}`)
    : ['no requests'];
  const failed = errors.map(({ kind, tenant, count, perSecond }): Part => {
    const rate = perSecond > 0 ? `, ${rateOf(perSecond)}/s` : '';
    return { text: `${kind} ${count} (${tenant}${rate})`, colour: 'red' };
  });
  const paused = now.paused.map((filter): Part => ({ text: selectionText(filter), colour: 'yellow' }));
  const store: Part = shared === 'up' ? 'reachable' : { text: 'cannot be reached', colour: 'red' };
  return [
    ...aboutLines(about, screen),
    ...fill('load', load, screen),
    ...fill('latency', [...latency, '(last minute)'], screen),
    ...fill('errors', [...(failed.length === 0 ? ['none'] : failed), '(last 5 minutes)'], screen),
    ...(shared === null ? [] : fill('shared', [store], screen)),
    ...paused.flatMap((part) => fill('paused', [part], screen)),
    ...fill(
      'servers',
      now.servers.map(({ name, state }): Part => ({ text: `${name} ${state}`, colour: STATE_COLOURS[state] })),
      screen,
    ),
  ];
}

/** The first line has no label; what it goes on with is indented as all the rest. */
function aboutLines([name = '', ...rest]: readonly Part[], screen: Screen): string[] {
  const label = typeof name === 'string' ? name : name.text;
  const [first = '', ...others] = fill('', [label, ...rest], screen);
  return [first.trimStart(), ...others];
}

function capLines({ name, used, limit }: Status['caps'][number], screen: Screen): string[] {
  const shown = name === 'view bytes' ? formatBytes : String;
  if (limit === null) return fill(name, [shown(used)], screen);
  const share: Part = { text: `(${Math.round((used / limit) * 100)} %)`, colour: fullness(used, limit) };
  return fill(name, [shown(used), `of ${shown(limit)}`, share], screen);
}

function fullness(used: number, limit: number | null): Colour | undefined {
  const share = limit === null ? 0 : (used / limit) * 100;
  return share >= FULL ? 'red' : share >= NEAR ? 'yellow' : undefined;
}
