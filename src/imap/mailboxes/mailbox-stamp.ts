import { offersModseqs } from '../connection/capability-list.js';
import type { ImapConnection } from '../connection/connection.js';
import { notOverlooked } from '../connection/overlooked-folder.js';
import { canonicalName } from '../wire/mailbox-names.js';
import type { UntaggedResponse } from '../wire/response.js';
import { atom, type ImapAttribute, listOf, mailboxName, modseqOf, textOf } from '../wire/tokens.js';
import { catchUp, unlessRefused } from './mailbox-status.js';

/** A fingerprint of a folder: its text differs after a change. */
export interface Stamp {
  text: string;
  /** Whether flag changes show too: by HIGHESTMODSEQ, which is 0 for a folder without (RFC 7162 section 3.1.7). */
  complete: boolean;
}

/** Most names and values of a STATUS response that are read: several times as many as are requested. */
const MOST_ITEMS = 50;
/** Most characters of each name or value: none is longer. */
const MOST_CHARACTERS = 20;

/**
 * Stamps of folders, one STATUS each; null for folders that the server refuses.
 * @throws BrokerError CONNECTION_LOST
 */
export async function stampsOf(
  connection: ImapConnection,
  mailboxes: readonly string[],
): Promise<Map<string, Stamp | null>> {
  const modseqs = offersModseqs(connection);
  const items = ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', ...(modseqs ? ['HIGHESTMODSEQ'] : [])].map(atom);
  const stamps = new Map<string, Stamp | null>();
  const selected = connection.selected?.path;
  if (selected !== undefined && mailboxes.includes(selected)) await catchUp(connection);
  for (const mailbox of mailboxes) {
    let stamp: Stamp | null = null;
    const take = ({ attributes }: UntaggedResponse) => {
      if (canonicalName(connection.nameOf(attributes[0])) === mailbox) stamp = stampOf(attributes[1]);
    };
    const ask = () => connection.exec('read', 'STATUS', [mailboxName(mailbox), items], { STATUS: take });
    await unlessRefused(notOverlooked(connection, mailbox, ask));
    stamps.set(mailbox, stamp);
  }
  return stamps;
}

/** The text is short whatever the server sends, because a watch keeps a stamp for each folder. */
function stampOf(status: ImapAttribute | undefined): Stamp {
  const items = listOf(status).slice(0, MOST_ITEMS);
  const at = items.findIndex((item) => textOf(item).toUpperCase() === 'HIGHESTMODSEQ');
  return {
    text: JSON.stringify(items.map((item) => textOf(item).slice(0, MOST_CHARACTERS))),
    complete: at >= 0 && (modseqOf(items[at + 1]) ?? 0n) > 0n,
  };
}
