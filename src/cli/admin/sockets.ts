import type { AdminWork } from '../admin.js';
import type { Column } from '../table.js';
import { formatBytes, spanOf } from '../units.js';
import { columnsOf, listParams, pageTable } from './lists.js';

const SOCKET: Column = { title: 'SOCKET', whole: true };
const SOCKETS: readonly Column[] = [
  SOCKET,
  { title: 'TENANT' },
  // An IPv4 address with its port.
  { title: 'PEER', least: 21 },
  ...columnsOf([], ['AGE', 'RUNNING', 'SERVED', 'BUFFERED', 'STREAMS', 'WATCHES']),
];
const STREAMS: readonly Column[] = [
  SOCKET,
  ...columnsOf(['TENANT', 'STREAM', 'DIRECTION', 'METHOD'], ['BYTES', 'AGE', 'STALLED']),
];

/** `imap-broker sockets`: the WebSockets of web applications and operators. */
export const sockets: AdminWork = async (context) => {
  const { limit, offset, tenant } = listParams(context);
  context.print(await context.client.socket.list({ limit, offset, tenant }), (page, screen) => {
    const rows = page.sockets.map((one) => [
      ...[one.id, one.tenant, one.peer, spanOf(one.ageMs), one.running, one.served],
      ...[formatBytes(one.bufferedBytes), one.streams, one.watches],
    ]);
    return pageTable(SOCKETS, rows, page, screen);
  });
  return undefined;
};

/** `imap-broker streams`: the downloads and uploads under way. */
export const streams: AdminWork = async (context) => {
  const { limit, offset, tenant } = listParams(context);
  context.print(await context.client.stream.list({ limit, offset, tenant }), (page, screen) => {
    const rows = page.streams.map((one) => [
      ...[one.socket, one.tenant, one.stream, one.direction, one.method, formatBytes(one.bytes), spanOf(one.ageMs)],
      one.stalledMs === 0 ? '-' : spanOf(one.stalledMs),
    ]);
    return pageTable(STREAMS, rows, page, screen);
  });
  return undefined;
};
