import { BrokerError } from '../../protocol/errors.js';
import type { StatusCounts } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { isRefusal, statusOf } from '../mailboxes/mailbox-status.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, type ImapArgument, literal, mailboxName, nzNumberOf, sequence } from '../wire/tokens.js';
import { searchKeys } from './search/search.js';
import { explainTarget } from './target-folder.js';

/** A message to be stored. */
export interface NewMessage {
  raw: Buffer;
  flags: readonly string[];
  internalDate: Date | undefined;
}

/** The Message-ID of a message, with its angle brackets; undefined where the message has none. */
export function messageIdOf(raw: Buffer): string | undefined {
  const head = raw.subarray(0, raw.indexOf('\r\n\r\n') + 1 || undefined).toString('latin1');
  return /^message-id:\s*(<[^<>\s]+>)/im.exec(head)?.[1];
}

/** Where the message was stored; null where the server does not report it. */
export interface Stored {
  uidValidity: number | null;
  uid: number | null;
}

/**
 * Stores a message and returns its uid: by UIDPLUS, else by a search for its Message-ID among new messages.
 * @throws BrokerError NOT_FOUND with field `mailbox`, IMAP_NO with the server's words
 */
export async function appendMessage(
  connection: ImapConnection,
  mailbox: string,
  { raw, flags, internalDate }: NewMessage,
): Promise<Stored> {
  const uidPlus = connection.has('UIDPLUS') || connection.has('IMAP4rev2');
  // UIDNEXT before the APPEND limits the search to messages that came later.
  const before = uidPlus ? null : (await statusOf(connection, [mailbox])).get(canonicalName(mailbox));
  const args: ImapArgument[] = [mailboxName(mailbox)];
  if (flags.length > 0) args.push(flags.map(atom));
  if (internalDate) args.push(imapDate(internalDate));
  const append = () => connection.exec('write', 'APPEND', [...args, literal(raw)]);
  const ok = await append()
    .catch(async (failure: unknown) => {
      // Dovecot refuses while an earlier folder of the same name is still selected.
      if (!isRefusal(failure) || connection.selected?.path !== canonicalName(mailbox)) throw failure;
      await connection.unselect();
      return append();
    })
    .catch((failure: unknown) => explainTarget(connection, failure, mailbox, 'mailbox'));
  if (ok.code === 'APPENDUID') {
    const [uidValidity, uid] = ok.codeArgs.map(nzNumberOf);
    return { uidValidity: uidValidity ?? null, uid: uid ?? null };
  }
  return before ? search(connection, mailbox, raw, before) : { uidValidity: null, uid: null };
}

/**
 * The newest message in a folder that has this Message-ID, whichever client has stored it.
 * @throws BrokerError NOT_FOUND with field `mailbox`
 */
export async function findStored(
  connection: ImapConnection,
  mailbox: string,
  messageId: string,
): Promise<Stored | undefined> {
  const { uidValidity } = await connection
    .select(mailbox, { fresh: true })
    .catch((failure: unknown) => explainTarget(connection, failure, mailbox, 'mailbox'));
  const uids = await searchKeys(connection, [atom('HEADER'), 'Message-ID', messageId]);
  return uids.length === 0 ? undefined : { uidValidity, uid: uids.reduce((a, b) => Math.max(a, b)) };
}

async function search(connection: ImapConnection, mailbox: string, raw: Buffer, before: StatusCounts): Promise<Stored> {
  const { uidValidity, uidNext } = before;
  const id = messageIdOf(raw);
  if (id === undefined || uidNext === null) return { uidValidity, uid: null };
  try {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const keys = [atom('UID'), sequence(`${uidNext}:*`), atom('HEADER'), 'Message-ID', id];
    const fresh = (await searchKeys(connection, keys)).filter((uid) => uid >= uidNext);
    const [uid = null] = fresh;
    return { uidValidity, uid: fresh.length === 1 ? uid : null };
  } catch (failure) {
    // The message is stored: an error here would make the caller store it twice.
    if (failure instanceof BrokerError) return { uidValidity: null, uid: null };
    throw failure;
  }
}

/** The date-time of RFC 9051 section 9, without its quotes: `01-Feb-2024 03:04:05 +0000`. */
function imapDate(date: Date): string {
  const [, , day = '', month = '', year = '', time = ''] =
    /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString()) ?? [];
  return `${day.padStart(2, '0')}-${month}-${year} ${time} +0000`;
}
