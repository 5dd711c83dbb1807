import type { Result } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import { formatBytes, spanOf } from '../units.js';
import { selectionText } from './account-selection.js';

type Status = Result<'broker.status'>;

/** `imap-broker status`: one screen that says how the broker is. */
export const status: AdminWork = async ({ client, print }) => {
  print(await client.broker.status({}), (now) => `${statusLines(now).join('\n')}\n`);
  return undefined;
};

function statusLines(now: Status): string[] {
  return [...generalLines(now), ...now.caps.map(capLine)];
}

/** The status in as few lines as possible. */
export function headLines(now: Status): string[] {
  const caps = now.caps.map(({ name, used, limit }) => {
    const shown = name === 'view bytes' ? formatBytes : String;
    return `${name} ${shown(used)}${limit === null ? '' : ` of ${shown(limit)}`}`;
  });
  return [...generalLines(now), `caps         ${caps.join('  ')}`];
}

function generalLines(now: Status): string[] {
  const { requests } = now;
  return [
    `imap-broker ${now.version}  ${now.name}  ${now.state}  up ${spanOf(now.uptimeMs)}  pid ${now.pid}  Node ${now.node}  epoch ${now.epoch}`,
    `load         ${requests.perSecond} requests/s  ${requests.running} running  ${requests.waiting} waiting  event loop ${now.eventLoopLagMs} ms late  memory ${formatBytes(now.residentBytes)}`,
    `errors       ${now.errors.map(({ kind, count }) => `${kind} ${count}`).join('  ') || 'none'}  (last 5 minutes)`,
    ...(now.shared === null ? [] : [`shared       ${now.shared === 'up' ? 'ok' : 'cannot be reached'}`]),
    ...now.paused.map((filter) => `paused       ${selectionText(filter)}`),
    `servers      ${now.servers.map(({ name, state }) => `${name} ${state === 'closed' ? 'ok' : state}`).join('  ')}`,
  ];
}

function capLine({ name, used, limit }: Status['caps'][number]): string {
  const shown = name === 'view bytes' ? formatBytes : String;
  const share = limit === null ? '' : `  of ${shown(limit)}  (${Math.round((used / limit) * 100)} %)`;
  return `${name.padEnd(12)} ${shown(used)}${share}`;
}
