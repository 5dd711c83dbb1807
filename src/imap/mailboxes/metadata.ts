import type { Result } from '../../protocol/contract.js';
import type { ImapConnection } from '../connection/connection.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, bytesOf, type ImapArgument, listOf, mailboxName, textOf } from '../wire/tokens.js';
import { requireOffered } from './acl.js';
import { explainRefusal } from './mailboxes.js';

/** Most bytes of a value; the server leaves out longer ones. */
const MOST_BYTES = 65_536;

/**
 * Annotations of a folder, or of the server for null (GETMETADATA, RFC 5464 section 4.2), in the order that was asked for.
 * @throws BrokerError UNSUPPORTED where the server has no METADATA, NOT_FOUND, IMAP_NO
 */
export async function metadataOf(
  connection: ImapConnection,
  mailbox: string | null,
  entries: readonly string[],
): Promise<Result<'mailbox.metadata'>['entries']> {
  if (mailbox === null) requireOffered(connection, 'METADATA', 'METADATA-SERVER');
  else requireOffered(connection, 'METADATA');
  const values = new Map<string, string>();
  const asked = new Set(entries.map((entry) => entry.toLowerCase()));
  const path = mailbox === null ? '' : canonicalName(mailbox);
  const args: ImapArgument[] = [
    [atom('MAXSIZE'), atom(String(MOST_BYTES))],
    mailbox === null ? '' : mailboxName(path),
    entries.map(atom),
  ];
  const command = connection.exec('read', 'GETMETADATA', args, {
    METADATA: ({ attributes: [name, told] }) => {
      // Servers also tell on their own accord what other clients annotate elsewhere (RFC 5464 section 4.4).
      if (canonicalName(connection.nameOf(name)) !== path) return;
      const list = listOf(told);
      for (let at = 0; at + 1 < list.length; at += 2) {
        const entry = textOf(list[at]).toLowerCase();
        const bytes = bytesOf(list[at + 1]);
        if (bytes && bytes.length <= MOST_BYTES && asked.has(entry)) values.set(entry, bytes.toString('utf8'));
      }
    },
  });
  await (mailbox === null ? command : command.catch((failure) => explainRefusal(connection, path, failure)));
  return entries.map((entry) => ({ entry, value: values.get(entry.toLowerCase()) ?? null }));
}
