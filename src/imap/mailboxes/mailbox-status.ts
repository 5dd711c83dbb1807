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

/**
 * Counts of folders: by LIST-STATUS (RFC 5819) where the server has it, else one STATUS after the other (RFC 9051
 * section 6.3.11); null for folders that the server refuses.
 * @throws BrokerError IMAP_NO when the server cannot answer now, CONNECTION_LOST
 */
export async function statusOf(
  connection: ImapConnection,
  names: Iterable<string>,
): Promise<Map<string, StatusCounts | null>> {
  const items = statusItems(connection);
  const wanted = new Set(Array.from(names, canonicalName));
  const selected = connection.selected?.path;
  if (selected !== undefined && wanted.has(selected)) await catchUp(connection);
  const found = await statusByList(connection, wanted, items);
  // Folders that LIST did not return are asked for by STATUS: LIST may spell a folder differently, or hide it.
  for (const name of wanted) if (!found.has(name)) found.set(name, await statusOfOne(connection, name, items));
  return found;
}

/** Counts of the folders that LIST-STATUS returns, null for folders that cannot hold messages. */
async function statusByList(
  connection: ImapConnection,
  wanted: ReadonlySet<string>,
  items: ImapToken[],
): Promise<Map<string, StatusCounts | null>> {
  const found = new Map<string, StatusCounts | null>();
  const { capabilities } = connection;
  const offered = capabilities.has('LIST-EXTENDED') && capabilities.has('LIST-STATUS');
  const plain = offered || capabilities.has('IMAP4rev2') ? [...wanted].filter((name) => !/[*%]/.test(name)) : [];
  if (plain.length < 2) return found;
  for (const some of inLines(plain)) {
    const asked = new Set(some);
    const note = (name: string, counts: StatusCounts | null) => {
      if (asked.has(name)) found.set(name, counts);
    };
    const args = ['', some.map(mailboxName), atom('RETURN'), [atom('STATUS'), items]];
    const listed = connection.exec('read', 'LIST', args, {
      LIST: ({ attributes: [flags, , path] }) => {
        const holdsNone = listOf(flags).some((flag) => /^\\(?:noselect|nonexistent)$/i.test(textOf(flag)));
        if (holdsNone) note(canonicalName(connection.nameOf(path)), null);
      },
      STATUS: ({ attributes }) => {
        const counts = countsOf(attributes[1]);
        if (counts) note(canonicalName(connection.nameOf(attributes[0])), counts);
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

async function statusOfOne(connection: ImapConnection, name: string, items: ImapToken[]): Promise<StatusCounts | null> {
  let counts: StatusCounts | null = null;
  try {
    const take = ({ attributes }: UntaggedResponse) => {
      // With NOTIFY the server sends STATUS responses of other folders at any time.
      if (canonicalName(connection.nameOf(attributes[0])) === name) counts = countsOf(attributes[1]);
    };
    const ask = () => connection.exec('read', 'STATUS', [mailboxName(name), items], { STATUS: take });
    await notOverlooked(connection, name, ask);
  } catch (failure) {
    if (!isRefusal(failure) || isPassing(failure)) throw failure;
    return null;
  }
  return counts;
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
