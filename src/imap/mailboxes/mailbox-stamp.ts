import type { ImapConnection } from '../connection/connection.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, listOf, mailboxName, textOf } from '../wire/tokens.js';
import { catchUp, unlessRefused } from './mailbox-status.js';

/** What tells whether a folder changed: a text that is another one then. */
export interface Stamp {
  text: string;
  /** Whether it tells of flags as well (HIGHESTMODSEQ, RFC 7162 section 3.1.7). */
  complete: boolean;
}

/**
 * Stamps of folders that are not selected, one STATUS each; null for those that the server refuses.
 * @throws BrokerError CONNECTION_LOST
 */
export async function stampsOf(
  connection: ImapConnection,
  mailboxes: readonly string[],
): Promise<Map<string, Stamp | null>> {
  const complete = connection.has('CONDSTORE') || connection.has('QRESYNC');
  const items = ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', ...(complete ? ['HIGHESTMODSEQ'] : [])].map(atom);
  const stamps = new Map<string, Stamp | null>();
  const selected = connection.selected?.path;
  if (selected !== undefined && mailboxes.includes(selected)) await catchUp(connection);
  for (const mailbox of mailboxes) {
    let text: string | undefined;
    await unlessRefused(
      connection.exec('read', 'STATUS', [mailboxName(mailbox), items], {
        STATUS: ({ attributes }) => {
          if (canonicalName(connection.nameOf(attributes[0])) === mailbox)
            text = listOf(attributes[1]).map(textOf).join(' ');
        },
      }),
    );
    stamps.set(mailbox, text === undefined ? null : { text, complete });
  }
  return stamps;
}
