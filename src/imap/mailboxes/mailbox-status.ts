import { BrokerError } from '../../protocol/errors.js';
import type { StatusCounts } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { notOverlooked } from '../connection/overlooked-folder.js';
import { isPassing } from '../connection/refused-folder.js';
import { canonicalName } from '../wire/mailbox-names.js';
import type { UntaggedResponse } from '../wire/response.js';
import { atom, type ImapAttribute, type ImapToken, listOf, mailboxName, numberOf, textOf } from '../wire/tokens.js';

/** The STATUS items for a {@link StatusCounts}. */
export function statusItems(connection: ImapConnection): ImapToken[] {
  const size = connection.has('STATUS=SIZE') || connection.has('IMAP4rev2');
  return ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', ...(size ? ['SIZE'] : [])].map(atom);
}

/** Reads the list of an untagged STATUS; null when the server leaves out a required item. */
export function countsOf(attribute: ImapAttribute | undefined): StatusCounts | null {
  const list = listOf(attribute);
  const values = new Map<string, number | undefined>();
  for (let at = 0; at + 1 < list.length; at += 2) values.set(textOf(list[at]).toUpperCase(), numberOf(list[at + 1]));
  const messages = values.get('MESSAGES');
  const unseen = values.get('UNSEEN');
  const uidValidity = values.get('UIDVALIDITY');
  if (messages === undefined || unseen === undefined || uidValidity === undefined) return null;
  return { messages, unseen, uidValidity, uidNext: values.get('UIDNEXT') || null, size: values.get('SIZE') ?? null };
}

/** Most names in one LIST: a command line that servers accept, and a response without much delay. */
const MOST_NAMES = 100;
/** Most octets of names in one LIST; RFC 7162 section 4 advises 8192 for a whole line. */
const NAMES_BYTES = 7000;

/** Most commands in one packet. */
const MOST_COMMANDS = 32;

/**
 * Counts of folders: by LIST-STATUS (RFC 5819) where the server has it, else one STATUS each (RFC 9051 section 6.3.11),
 * 32 in a packet; null for folders that the server refuses.
 * @throws BrokerError IMAP_NO when the server cannot answer now, CONNECTION_LOST
 */
export function statusOf(
  connection: ImapConnection,
  names: Iterable<string>,
): Promise<Map<string, StatusCounts | null>> {
  return readStatus(connection, names, { items: statusItems(connection), read: countsOf });
}

/** What is asked of a STATUS, and how its list is read. */
export interface StatusQuestion<T> {
  items: ImapToken[];
  read: (list: ImapAttribute | undefined) => T | null;
}

/** {@link statusOf} for any items. */
export async function readStatus<T>(
  connection: ImapConnection,
  names: Iterable<string>,
  question: StatusQuestion<T>,
): Promise<Map<string, T | null>> {
  const wanted = new Set(Array.from(names, canonicalName));
  const selected = connection.selected?.path;
  if (selected !== undefined && wanted.has(selected)) await catchUp(connection);
  const found = await statusByList(connection, wanted, question);
  // Folders that LIST did not return are asked for by STATUS: LIST may spell a folder differently, or hide it.
  const left = [...wanted].filter((name) => !found.has(name));
  await inPackets(connection, left, async (name) => {
    found.set(name, await statusOfOne(connection, name, question));
  });
  return found;
}

/**
 * Asks for each name, some dozens in a packet.
 * @throws what the first name's command that fails throws, when all of its packet are done
 */
export async function inPackets(
  connection: ImapConnection,
  names: readonly string[],
  ask: (name: string) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < names.length; at += MOST_COMMANDS) {
    const some = names.slice(at, at + MOST_COMMANDS);
    const asked = connection.together(() => Promise.allSettled(some.map(ask)));
    for (const outcome of await asked) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** What LIST-STATUS tells of the folders that it returns, null for folders that cannot hold messages. */
async function statusByList<T>(
  connection: ImapConnection,
  wanted: ReadonlySet<string>,
  { items, read }: StatusQuestion<T>,
): Promise<Map<string, T | null>> {
  const found = new Map<string, T | null>();
  const { capabilities } = connection;
  const offered = capabilities.has('LIST-EXTENDED') && capabilities.has('LIST-STATUS');
  const plain = offered || capabilities.has('IMAP4rev2') ? [...wanted].filter((name) => !/[*%]/.test(name)) : [];
  if (plain.length < 2) return found;
  for (const some of inLines(plain)) {
    const asked = new Set(some);
    const note = (name: string, told: T | null) => {
      if (asked.has(name)) found.set(name, told);
    };
    const args = ['', some.map(mailboxName), atom('RETURN'), [atom('STATUS'), items]];
    const listed = connection.exec('read', 'LIST', args, {
      LIST: ({ attributes: [flags, , path] }) => {
        const holdsNone = listOf(flags).some((flag) => /^\\(?:noselect|nonexistent)$/i.test(textOf(flag)));
        if (holdsNone) note(canonicalName(connection.nameOf(path)), null);
      },
      STATUS: ({ attributes }) => {
        const told = read(attributes[1]);
        if (told) note(canonicalName(connection.nameOf(attributes[0])), told);
      },
    });
    // Some servers offer LIST-STATUS and then refuse it.
    if (!(await unlessRefused(listed))) break;
  }
  return found;
}

function inLines(names: readonly string[]): string[][] {
  const lines: string[][] = [[]];
  let bytes = 0;
  for (const name of names) {
    // In modified UTF-7 a special character becomes at most five.
    const size = name.replace(/[^\w ./-]/g, '12345').length + 3;
    if ((lines.at(-1)?.length ?? 0) >= MOST_NAMES || (bytes > 0 && bytes + size > NAMES_BYTES)) {
      lines.push([]);
      bytes = 0;
    }
    lines.at(-1)?.push(name);
    bytes += size;
  }
  return lines;
}

/** What one STATUS tells of a folder; null where the server refuses the folder. */
export async function statusOfOne<T>(
  connection: ImapConnection,
  name: string,
  { items, read }: StatusQuestion<T>,
): Promise<T | null> {
  let told: T | null = null;
  try {
    const take = ({ attributes }: UntaggedResponse) => {
      // With NOTIFY the server sends STATUS responses of other folders at any time.
      if (canonicalName(connection.nameOf(attributes[0])) === name) told = read(attributes[1]);
    };
    const ask = () => connection.exec('read', 'STATUS', [mailboxName(name), items], { STATUS: take });
    await notOverlooked(connection, name, ask);
  } catch (failure) {
    if (!isRefusal(failure) || isPassing(failure)) throw failure;
    return null;
  }
  return told;
}

/** Courier, and partly Dovecot, count the selected folder as the session last saw it: a NOOP updates the session. */
export async function catchUp(connection: ImapConnection): Promise<void> {
  if (!connection.selected || (await connection.refresh())) return;
  // The selected folder was replaced: while it is selected, the server would count the old folder.
  await unlessRefused(connection.unselect());
}

/** Whether the server answered NO or BAD, which leaves the connection usable. */
export function isRefusal(failure: unknown): failure is BrokerError {
  return failure instanceof BrokerError && (failure.kind === 'IMAP_NO' || failure.kind === 'NOT_FOUND');
}

/** Waits for a command. @returns false when the server refused it */
export async function unlessRefused(command: Promise<unknown>): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (failure) {
    if (isRefusal(failure)) return false;
    throw failure;
  }
}
