import type { AdminWork } from '../admin.js';
import { formatBytes, spanOf } from '../units.js';
import { columnsOf, listParams, pageTable } from './lists.js';

const SOCKETS = columnsOf(['SOCKET', 'TENANT', 'PEER'], ['AGE', 'RUNNING', 'SERVED', 'STREAMS', 'BUFFERED', 'WATCHES']);
const STREAMS = columnsOf(['SOCKET', 'TENANT', 'STREAM', 'DIRECTION', 'METHOD'], ['BYTES', 'AGE', 'STALLED']);

/** `imap-broker sockets`: the WebSockets of web applications and operators. */
export const sockets: AdminWork = async (context) => {
  const { limit, offset, tenant } = listParams(context);
  context.print(await context.client.socket.list({ limit, offset, tenant }), (page) => {
    const rows = page.sockets.map((one) => [
      ...[one.id, one.tenant, one.peer, spanOf(one.ageMs), one.running, one.served, one.streams],
      ...[formatBytes(one.bufferedBytes), one.watches],
    ]);
    return pageTable(SOCKETS, rows, page);
  });
  return undefined;
};

/** `imap-broker streams`: the downloads and uploads under way. */
export const streams: AdminWork = async (context) => {
  const { limit, offset, tenant } = listParams(context);
  context.print(await context.client.stream.list({ limit, offset, tenant }), (page) => {
    const rows = page.streams.map((one) => [
      ...[one.socket, one.tenant, one.stream, one.direction, one.method, formatBytes(one.bytes), spanOf(one.ageMs)],
      one.stalledMs === 0 ? '-' : spanOf(one.stalledMs),
    ]);
    return pageTable(STREAMS, rows, page);
  });
  return undefined;
};
