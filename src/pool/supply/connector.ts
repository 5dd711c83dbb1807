import { ImapConnection } from '../../imap/connection/connection.js';
import { withAdvice } from '../../imap/connection/obstacles.js';
import type { Credentials, ServerOptions } from '../../imap/login/server-options.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Log } from '../../runtime/log/log.js';
import { putLast } from '../../runtime/put-last.js';
import { wasReached } from '../account-errors.js';
import type { Connect } from '../account-host.js';

/** Most servers and accounts whose trouble is remembered. */
const MOST_TROUBLES = 1_000;

/**
 * Opens IMAP connections, each with its own id. Logs when each connection begins and ends, and, once for each cause, which
 * servers cannot be reached and which accounts cannot be opened.
 */
export function connector(log?: Log): Connect {
  let made = 0;
  /** What was told last of a server or an account, by its name. */
  const troubles = new Map<string, string>();
  return async (server, credentials, signal) => {
    made += 1;
    const lines = { connection: `${server.name}-${made}`, server: server.name };
    const begun = performance.now();
    try {
      const connection = await ImapConnection.open(lines.connection, server, credentials, signal);
      log?.debug({ ...lines, ms: since(begun) }, 'IMAP connection opened');
      troubles.delete(accountOf(server, credentials));
      if (troubles.delete(server.name)) log?.info({ server: server.name }, 'IMAP server can be reached again');
      connection.onUnreadable = (what) => log?.warn({ ...lines, ...what }, 'cannot read what the IMAP server says');
      connection.onClose(() => {
        log?.debug(
          { ...lines, ms: since(begun), ...connection.bytes, why: connection.endedBy },
          'IMAP connection ended',
        );
      });
      return connection;
    } catch (err) {
      // A wrong password is no warning: it concerns its user only.
      const cannotBeHad = !signal.aborted && err instanceof BrokerError && err.kind === 'UPSTREAM_UNAVAILABLE';
      const whose = wasReached(err) ? accountOf(server, credentials) : server.name;
      if (cannotBeHad && troubles.get(whose) !== err.message) {
        putLast(troubles, whose, err.message, MOST_TROUBLES);
        const why = withAdvice({ step: 'connect', detail: err.message }, server);
        log?.warn({ ...lines, ms: since(begun), why }, 'no IMAP connection');
      } else {
        log?.debug({ ...lines, ms: since(begun), err }, 'no IMAP connection');
      }
      throw err;
    }
  };
}

/** A key that no server has for its name, which has no blank. */
function accountOf({ name }: ServerOptions, { user }: Credentials): string {
  return `${name} ${user}`;
}

function since(begun: number): number {
  return Math.round((performance.now() - begun) * 10) / 10;
}
