import type { AdminWork } from '../admin.js';
import { formatBytes, spanOf } from '../units.js';
import { columnsOf, listParams, pageTable } from './lists.js';

const COLUMNS = columnsOf(
  ['CONNECTION', 'TENANT', 'USER', 'STATE', 'MAILBOX'],
  ['AGE', 'IDLE', 'SERVED', 'SENT', 'RECEIVED'],
);

/** `imap-broker connections`: the IMAP connections, with what each does and has done. */
export const connections: AdminWork = async (context) => {
  context.print(await context.client.connection.list(listParams(context)), (page, screen) => {
    const rows = page.connections.map((one) => [
      ...[one.id, one.tenant, one.user, one.state, one.mailbox ?? '-', spanOf(one.ageMs)],
      one.state === 'idle' ? spanOf(one.idleMs) : '-',
      ...[one.served, formatBytes(one.sentBytes), formatBytes(one.receivedBytes)],
    ]);
    return pageTable(COLUMNS, rows, page, screen);
  });
  return undefined;
};
