import { BrokerError } from '../../protocol/errors.js';
import type { ServerOptions } from '../login/server-options.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, type ImapAttribute, listOf, mailboxName, nzNumberOf, textOf } from '../wire/tokens.js';
import type { ImapConnection } from './connection.js';

/** Servers that take a STATUS of the selected folder for a fault of the client: UW does, with an untagged NO. */
const unwilling = new WeakSet<ServerOptions>();

/** Response codes (RFC 5530) by which a refused STATUS speaks of the server's state, not of the folder. */
const passing = new Set<string | undefined>(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN']);

/** Whether an untagged NO is only about the STATUS of the selected folder; the server is not asked for that again then. */
export function isAboutStatus({ server }: ImapConnection, text: string): boolean {
  if (!/client bug/i.test(text)) return false;
  unwilling.add(server);
  return true;
}

/**
 * Whether a server has to be asked by STATUS, too, whether the selected folder is still the one that it was. Dovecot says
 * so at a NOOP; Cyrus and Courier go on for ever with the folder of before.
 */
function asksStatus({ server, serverName }: ImapConnection): boolean {
  return !/^dovecot/i.test(serverName ?? '') && !unwilling.has(server);
}

/**
 * A NOOP, and in the same packet a STATUS where the server needs it: what other clients changed in the selected folder is
 * told before it is answered.
 * @returns whether the folder is the one that was selected
 */
export async function refreshSelected(connection: ImapConnection): Promise<boolean> {
  const { selected } = connection;
  const asks = selected !== undefined && asksStatus(connection);
  const [noop, status] = connection.together(() => {
    const noop = refused(connection, connection.exec('read', 'NOOP'));
    return [noop, asks ? isSame(connection, selected) : true] as const;
  });
  // When the folder was renamed, deleted or replaced elsewhere some servers answer NO.
  const [accepted, same] = await Promise.all([noop, status]);
  return accepted === undefined && same;
}

async function isSame(
  connection: ImapConnection,
  { path, uidValidity }: NonNullable<ImapConnection['selected']>,
): Promise<boolean> {
  let told: number | undefined;
  const asked = connection.exec('read', 'STATUS', [mailboxName(path), [atom('UIDVALIDITY')]], {
    STATUS: ({ attributes: [name, items] }) => {
      if (canonicalName(connection.nameOf(name)) === path) told = uidValidityIn(listOf(items));
    },
  });
  const refusal = await refused(connection, asked);
  if (refusal)
    return unwilling.has(connection.server) || passing.has(refusal.imap?.code) || refusal.imap?.status === 'BAD';
  // A server that tells no UIDVALIDITY has none to compare.
  return told === undefined || told === uidValidity;
}

function uidValidityIn(items: readonly ImapAttribute[]): number | undefined {
  const at = items.findIndex((item) => textOf(item).toUpperCase() === 'UIDVALIDITY');
  return at < 0 ? undefined : nzNumberOf(items[at + 1]);
}

/** The server's refusal of a command; undefined where it was done. @throws BrokerError when the connection ended */
async function refused(connection: ImapConnection, command: Promise<unknown>): Promise<BrokerError | undefined> {
  try {
    await command;
    return undefined;
  } catch (failure) {
    if (!connection.usable || !(failure instanceof BrokerError)) throw failure;
    return failure;
  }
}
