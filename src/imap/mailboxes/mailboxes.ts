import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { namespacesOf } from '../connection/namespaces.js';
import { assertLevels, canonicalName, isInbox, isInTree, parentName } from '../wire/mailbox-names.js';
import { mailboxName } from '../wire/tokens.js';
import { findMailbox, isSelectable, type ListedMailbox, listSubscribed } from './mailbox-list.js';
import { isRefusal } from './mailbox-status.js';

/** Response codes (RFC 5530) of a refused CREATE that may mean a missing parent. */
const parentCodes = new Set<string | undefined>([undefined, 'NONEXISTENT', 'TRYCREATE']);

/**
 * Creates a folder; where the server does not create missing parents itself, these are created first.
 * @returns the folder's name as the server lists it, and whether the folder was created now
 * @throws BrokerError INVALID_PARAMS, or IMAP_NO; with `executed: 'yes'` when only the subscription failed
 */
export async function createMailbox(
  connection: ImapConnection,
  name: string,
  options: { subscribe: boolean },
): Promise<{ name: string; created: boolean }> {
  const result = await createOrFind(connection, name);
  if (options.subscribe) await subscribeAs(connection, result.name, result.created ? 'created' : undefined);
  return result;
}

async function createOrFind(connection: ImapConnection, name: string): Promise<{ name: string; created: boolean }> {
  if (isInbox(name)) return { name: 'INBOX', created: false };
  const delimiter = await delimiterOf(connection, name);
  assertLevels(name, delimiter, 'mailbox');
  try {
    await mailboxCommand(connection, 'CREATE', name);
  } catch (refusal) {
    if (!isRefusal(refusal)) throw refusal;
    const existing = await findMailbox(connection, name);
    if (existing && isSelectable(existing)) return { name: existing.name, created: false };
    if (existing || !parentCodes.has(refusal.imap?.code)) throw plainRefusal(refusal);
    await createWithParents(connection, name, delimiter, refusal);
  }
  return { name: (await findMailbox(connection, name))?.name ?? name, created: true };
}

/** Creates the missing levels above a name, then the folder; deletes them again when the server refuses one. */
async function createWithParents(
  connection: ImapConnection,
  name: string,
  delimiter: string | null,
  refusal: BrokerError,
): Promise<void> {
  const missing = await missingParents(connection, name, delimiter);
  if (missing.length === 0) throw plainRefusal(refusal);
  const made: string[] = [];
  try {
    for (const level of [...missing, name]) {
      await mailboxCommand(connection, 'CREATE', level);
      made.unshift(level);
    }
  } catch (failure) {
    if (!isRefusal(failure)) throw failure;
    for (const level of made) await ignoreRefusal(mailboxCommand(connection, 'DELETE', level));
    throw plainRefusal(failure);
  }
}

/**
 * Renames a folder with the folders below it, and moves their subscriptions along.
 * @returns the new name as the server lists it
 * @throws BrokerError INVALID_PARAMS, NOT_FOUND, or IMAP_NO; with `executed: 'yes'` when only a subscription failed
 */
export async function renameMailbox(connection: ImapConnection, name: string, newName: string): Promise<string> {
  refuseInbox(name, 'mailbox', 'renamed');
  refuseInbox(newName, 'newName', 'replaced');
  const delimiter = await delimiterOf(connection, newName);
  assertLevels(newName, delimiter, 'newName');
  const selected = connection.selected?.path;
  if (selected !== undefined && isInTree(selected, name, delimiter)) await connection.unselect();
  const subscribed = (await listSubscribed(connection)).filter((entry) => isInTree(entry.name, name, delimiter));
  // Courier answers OK to a RENAME of a folder that does not exist.
  await existingFolder(connection, name);
  await connection
    .exec('write', 'RENAME', [mailboxName(name), mailboxName(newName)])
    .catch((failure) => explainRefusal(connection, name, failure));
  const renamed = await findMailbox(connection, newName);
  for (const entry of subscribed)
    await moveSubscription(connection, entry.name, newName + entry.name.slice(name.length));
  return renamed?.name ?? newName;
}

/**
 * Deletes a folder with its messages, and its subscription. Folders below it stay; some servers refuse then.
 * @throws BrokerError INVALID_PARAMS for INBOX, NOT_FOUND, IMAP_NO
 */
export async function deleteMailbox(connection: ImapConnection, name: string): Promise<void> {
  refuseInbox(name, 'mailbox', 'deleted');
  if (connection.selected?.path === name) await connection.unselect();
  await mailboxCommand(connection, 'DELETE', name).catch((failure) => explainRefusal(connection, name, failure));
  await ignoreRefusal(mailboxCommand(connection, 'UNSUBSCRIBE', name));
}

/**
 * Subscribes to an existing folder: many servers would accept any name.
 * @returns the folder's name as the server lists it
 * @throws BrokerError NOT_FOUND, IMAP_NO
 */
export async function subscribeMailbox(connection: ImapConnection, name: string): Promise<string> {
  const { name: listed } = await existingFolder(connection, name);
  await subscribeAs(connection, listed, undefined);
  return listed;
}

/**
 * Unsubscribes a name, whether or not the folder exists.
 * @throws BrokerError IMAP_NO
 */
export async function unsubscribeMailbox(connection: ImapConnection, name: string): Promise<void> {
  try {
    await mailboxCommand(connection, 'UNSUBSCRIBE', name);
  } catch (failure) {
    if (!isRefusal(failure)) throw failure;
    // UW-IMAP refuses to unsubscribe a name that is not subscribed.
    if (await isSubscribed(connection, name)) throw plainRefusal(failure);
  }
}

async function isSubscribed(connection: ImapConnection, name: string): Promise<boolean> {
  const wanted = canonicalName(name);
  return (await listSubscribed(connection)).some((entry) => entry.name === wanted);
}

/** Throws NOT_FOUND where the folder does not exist, else the server's refusal as it is. */
export async function explainRefusal(connection: ImapConnection, name: string, failure: unknown): Promise<never> {
  if (!isRefusal(failure)) throw failure;
  await existingFolder(connection, name, failure);
  throw plainRefusal(failure);
}

/** Texts by which servers report that the selected folder is gone, right before they end the connection (Dovecot). */
const goneTexts = /deleted under us|does(?: not|n't) exist|no such mailbox|nonexistent/i;

/** Like {@link explainRefusal}, for a command on the selected folder: the server may have ended the connection too. */
export async function explainLoss(connection: ImapConnection, name: string, failure: unknown): Promise<never> {
  if (!isRefusal(failure) || failure.field !== undefined) throw failure;
  // A response code is more precise than anything a LIST could show.
  if (failure.kind === 'IMAP_NO' && failure.imap?.code !== undefined) throw failure;
  if (connection.usable) return explainRefusal(connection, name, failure);
  throw goneTexts.test(failure.imap?.text ?? '') ? missing(name, failure) : failure;
}

async function existingFolder(connection: ImapConnection, name: string, refusal?: BrokerError): Promise<ListedMailbox> {
  const found = await findMailbox(connection, name);
  if (found) return found;
  throw missing(name, refusal);
}

function missing(name: string, refusal?: BrokerError): BrokerError {
  return new BrokerError('NOT_FOUND', `mailbox: there is no folder "${name}".`, {
    field: 'mailbox',
    imap: refusal?.imap,
    cause: refusal,
  });
}

function mailboxCommand(connection: ImapConnection, command: string, name: string) {
  return connection.exec('write', command, [mailboxName(name)]);
}

/** The folder exists, so a code such as TRYCREATE is not about the named folder: the error is IMAP_NO. */
function plainRefusal(refusal: BrokerError): BrokerError {
  const { imap, message, cause } = refusal;
  return new BrokerError('IMAP_NO', message, { imap, cause });
}

async function ignoreRefusal(command: Promise<unknown>): Promise<void> {
  await command.catch((failure) => {
    if (!isRefusal(failure)) throw failure;
  });
}

async function moveSubscription(connection: ImapConnection, from: string, to: string): Promise<void> {
  await subscribeAs(connection, to, 'renamed');
  // A server that moved the subscription itself refuses this.
  await ignoreRefusal(mailboxCommand(connection, 'UNSUBSCRIBE', from));
}

/** Subscribes; the error of a refusal says that the folder itself was created or renamed (`done`). */
async function subscribeAs(connection: ImapConnection, name: string, done: string | undefined): Promise<void> {
  try {
    await mailboxCommand(connection, 'SUBSCRIBE', name);
  } catch (failure) {
    if (!isRefusal(failure)) throw failure;
    if (await isSubscribed(connection, name)) return;
    if (!done) throw plainRefusal(failure);
    throw new BrokerError('IMAP_NO', `The folder was ${done}, but the subscription of "${name}" was refused.`, {
      executed: 'yes',
      imap: failure.imap,
      cause: failure,
    });
  }
}

/** The levels above a name that do not exist, the highest first. */
async function missingParents(connection: ImapConnection, name: string, delimiter: string | null): Promise<string[]> {
  const missing: string[] = [];
  for (let above = parentName(name, delimiter); above !== null; above = parentName(above, delimiter)) {
    if (await findMailbox(connection, above)) break;
    missing.unshift(above);
  }
  return missing;
}

function refuseInbox(name: string, field: string, verb: string): void {
  if (!isInbox(name)) return;
  throw new BrokerError('INVALID_PARAMS', `${field}: INBOX cannot be ${verb}.`, { field });
}

/** The delimiter of the namespace that a name belongs to: the one with the longest prefix that begins the name. */
async function delimiterOf(connection: ImapConnection, name: string): Promise<string | null> {
  const { personal, other, shared } = namespacesOf(connection);
  const own = [...personal, ...other, ...shared]
    .filter(({ prefix }) => name.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return (own[0] ?? personal[0])?.delimiter ?? null;
}
