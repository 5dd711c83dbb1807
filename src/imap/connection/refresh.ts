import { BrokerError } from '../../protocol/errors.js';
import type { ServerOptions } from '../login/server-options.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, type ImapAttribute, listOf, mailboxName, nzNumberOf, textOf } from '../wire/tokens.js';
import type { Commands } from './commands.js';
import { isPassing } from './refused-folder.js';
import { mailboxIdOf, type SelectedMailbox } from './selected-mailbox.js';

/** A connection whose selected folder is to be brought up to date. */
interface Refreshed extends Commands {
  readonly server: ServerOptions;
  readonly serverName: string | undefined;
  readonly selected: SelectedMailbox | undefined;
}

/**
 * Servers that consider a STATUS of the selected folder a client bug: UW reports this by an untagged NO, others refuse
 * the command with CLIENTBUG (RFC 5530 section 3).
 */
const unwilling = new WeakSet<ServerOptions>();

/** Whether an untagged NO is only about the STATUS of the selected folder; then no such STATUS is sent any more. */
export function isAboutStatus({ server }: Pick<Refreshed, 'server'>, text: string): boolean {
  if (!/client bug/i.test(text)) return false;
  unwilling.add(server);
  return true;
}

/**
 * Whether a STATUS is needed to find out that the selected folder was replaced. Dovecot reports this at a NOOP; Cyrus
 * and Courier keep the old folder for ever.
 */
function asksStatus({ server, serverName }: Refreshed): boolean {
  return !/^dovecot/i.test(serverName ?? '') && !unwilling.has(server);
}

/**
 * A NOOP, and in the same packet a STATUS where the server needs it: the server reports the changes of other clients in
 * the selected folder before it answers.
 * @returns whether the folder is still the one that was selected
 */
export async function refreshSelected(connection: Refreshed): Promise<boolean> {
  const { selected } = connection;
  const asks = selected !== undefined && asksStatus(connection);
  const [noop, status] = connection.together(() => {
    const noop = refused(connection, connection.exec('read', 'NOOP'));
    return [noop, asks ? isSameFolder(connection, selected) : true] as const;
  });
  // When another client renamed, deleted or replaced the folder, some servers answer NO.
  const [accepted, same] = await Promise.all([noop, status]);
  return accepted === undefined && same;
}

async function isSameFolder(
  connection: Refreshed,
  { path, uidValidity, mailboxId }: SelectedMailbox,
): Promise<boolean> {
  let statusItems: readonly ImapAttribute[] = [];
  // On Cyrus two folders may have the same UIDVALIDITY, and one of them may get the name of the other.
  const items = mailboxId === undefined ? [atom('UIDVALIDITY')] : [atom('UIDVALIDITY'), atom('MAILBOXID')];
  const asked = connection.exec('read', 'STATUS', [mailboxName(path), items], {
    STATUS: ({ attributes: [name, values] }) => {
      if (canonicalName(connection.nameOf(name)) === path) statusItems = listOf(values);
    },
  });
  const refusal = await refused(connection, asked);
  if (refusal?.imap?.code === 'CLIENTBUG') unwilling.add(connection.server);
  if (refusal) return unwilling.has(connection.server) || isPassing(refusal) || refusal.imap?.status === 'BAD';
  const validityNow = nzNumberOf(valueIn(statusItems, 'UIDVALIDITY'));
  const idNow = mailboxIdOf(valueIn(statusItems, 'MAILBOXID'));
  // A value that the server does not send cannot be compared.
  return (validityNow === undefined || validityNow === uidValidity) && (idNow === undefined || idNow === mailboxId);
}

function valueIn(items: readonly ImapAttribute[], name: string): ImapAttribute | undefined {
  const at = items.findIndex((item) => textOf(item).toUpperCase() === name);
  return at < 0 ? undefined : items[at + 1];
}

/** The server's refusal of a command; undefined on success. @throws BrokerError when the connection ended */
async function refused(connection: Commands, command: Promise<unknown>): Promise<BrokerError | undefined> {
  try {
    await command;
    return undefined;
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure;
    // The command in the same packet may have ended the connection.
    if (!connection.usable && failure.imap?.status !== 'NO') throw failure;
    return failure;
  }
}
