import { ImapConnection } from '../../imap/connection/connection.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Log } from '../../runtime/log/log.js';
import { wasReached } from '../account-errors.js';
import type { Connect } from '../account-host.js';

/**
 * Opens IMAP connections, each with its own id. Logs when each connection begins and ends, and which servers cannot be
 * reached.
 */
export function connector(log?: Log): Connect {
  let made = 0;
  const unreachable = new Set<string>();
  return async (server, credentials, signal) => {
    made += 1;
    const lines = { connection: `${server.name}-${made}`, server: server.name };
    const begun = performance.now();
    try {
      const connection = await ImapConnection.open(lines.connection, server, credentials, signal);
      log?.debug({ ...lines, ms: since(begun) }, 'IMAP connection opened');
      if (unreachable.delete(server.name)) log?.info({ server: server.name }, 'IMAP server can be reached again');
      connection.onUnreadable = (what) => log?.warn({ ...lines, ...what }, 'cannot read what the IMAP server says');
      connection.onClose(() => {
        log?.debug(
          { ...lines, ms: since(begun), ...connection.bytes, why: connection.endedBy },
          'IMAP connection ended',
        );
      });
      return connection;
    } catch (err) {
      const cannotBeHad = !signal.aborted && err instanceof BrokerError && err.kind === 'UPSTREAM_UNAVAILABLE';
      if (cannotBeHad && !wasReached(err)) unreachable.add(server.name);
      // A wrong password is no warning: it concerns its user only. Repeated failures do not flood the log, because the
      // server or the account backs off.
      log?.[cannotBeHad ? 'warn' : 'debug']({ ...lines, ms: since(begun), err }, 'no IMAP connection');
      throw err;
    }
  };
}

function since(begun: number): number {
  return Math.round((performance.now() - begun) * 10) / 10;
}
