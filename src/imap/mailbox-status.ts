import { BrokerError } from '../protocol/errors.js';
import type { StatusCounts } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { canonicalName } from './mailbox-names.js';
import {
  atom,
  type ImapAttribute,
  type ImapToken,
  listOf,
  mailboxName,
  numberOf,
  rawExec,
  textOf,
} from './raw-exec.js';

/** Response codes (RFC 5530) by which a refused STATUS speaks of the server's state, not of the folder. */
const passingCodes = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN', 'CORRUPTION']);

/** The STATUS items that make a {@link StatusCounts}. */
export function statusItems(connection: ImapConnection): ImapToken[] {
  const size = connection.has('STATUS=SIZE') || connection.has('IMAP4rev2');
  return ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', ...(size ? ['SIZE'] : [])].map(atom);
}

/** Reads the list of an untagged STATUS; null when the server leaves out what every server must tell. */
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

/**
 * Counts of folders, one STATUS after the other (RFC 9051 section 6.3.11); null for those that the server refuses.
 * @throws BrokerError IMAP_NO when the server cannot tell now, CONNECTION_LOST
 */
export async function statusOf(
  connection: ImapConnection,
  names: Iterable<string>,
): Promise<Map<string, StatusCounts | null>> {
  const items = statusItems(connection);
  const found = new Map<string, StatusCounts | null>();
  const wanted = new Set(Array.from(names, canonicalName));
  const selected = connection.selected?.path;
  if (selected !== undefined && wanted.has(selected)) await catchUp(connection);
  for (const name of wanted) found.set(name, await statusOfOne(connection, name, items));
  return found;
}

async function statusOfOne(connection: ImapConnection, name: string, items: ImapToken[]): Promise<StatusCounts | null> {
  let counts: StatusCounts | null = null;
  try {
    await rawExec(connection, 'read', 'STATUS', [mailboxName(name), items], {
      STATUS: ({ attributes }) => {
        counts = countsOf(attributes[1]);
      },
    });
  } catch (failure) {
    if (!isRefusal(failure) || passingCodes.has(failure.imap?.code ?? '')) throw failure;
    return null;
  }
  return counts;
}

/** Courier, and Dovecot in part, count the selected folder as they last showed it: a NOOP brings it up to date. */
export async function catchUp(connection: ImapConnection): Promise<void> {
  if (!connection.selected || (await connection.refresh())) return;
  // The selected folder is not what it was: counted as the selected one it would be the old one's.
  await connection.unselect().catch((failure: unknown) => {
    if (!isRefusal(failure)) throw failure;
  });
}

/** Whether the server said NO or BAD, which leaves the connection usable. */
export function isRefusal(failure: unknown): failure is BrokerError {
  return failure instanceof BrokerError && (failure.kind === 'IMAP_NO' || failure.kind === 'NOT_FOUND');
}
