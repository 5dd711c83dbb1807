import type { ImapConnection } from '../connection/connection.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, type ImapAttribute, listOf, mailboxName, modseqOf, textOf } from '../wire/tokens.js';
import { catchUp, unlessRefused } from './mailbox-status.js';

/** What tells whether a folder changed: a text that is another one then. */
export interface Stamp {
  text: string;
  /** Whether it tells of flags as well: by HIGHESTMODSEQ, which is 0 of a folder without (RFC 7162 section 3.1.7). */
  complete: boolean;
}

/** Names and values of a STATUS that are looked at: several times as many as are asked for. */
const MOST_ITEMS = 50;
/** Characters of each: no name or number is longer. */
const MOST_CHARACTERS = 20;

/**
 * Stamps of folders that are not selected, one STATUS each; null for those that the server refuses.
 * @throws BrokerError CONNECTION_LOST
 */
export async function stampsOf(
  connection: ImapConnection,
  mailboxes: readonly string[],
): Promise<Map<string, Stamp | null>> {
  const modseqs = connection.has('CONDSTORE') || connection.has('QRESYNC');
  const items = ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', ...(modseqs ? ['HIGHESTMODSEQ'] : [])].map(atom);
  const stamps = new Map<string, Stamp | null>();
  const selected = connection.selected?.path;
  if (selected !== undefined && mailboxes.includes(selected)) await catchUp(connection);
  for (const mailbox of mailboxes) {
    let stamp: Stamp | null = null;
    await unlessRefused(
      connection.exec('read', 'STATUS', [mailboxName(mailbox), items], {
        STATUS: ({ attributes }) => {
          if (canonicalName(connection.nameOf(attributes[0])) === mailbox) stamp = stampOf(attributes[1]);
        },
      }),
    );
    stamps.set(mailbox, stamp);
  }
  return stamps;
}

/** Its text is short whatever the server says, for a watch keeps one for each folder. */
function stampOf(status: ImapAttribute | undefined): Stamp {
  const items = listOf(status).slice(0, MOST_ITEMS);
  const at = items.findIndex((item) => textOf(item).toUpperCase() === 'HIGHESTMODSEQ');
  return {
    text: JSON.stringify(items.map((item) => textOf(item).slice(0, MOST_CHARACTERS))),
    complete: at >= 0 && (modseqOf(items[at + 1]) ?? 0n) > 0n,
  };
}
