import { BrokerError } from '../../../protocol/errors.js';
import { offersModseqs } from '../../connection/capability-list.js';
import type { ImapConnection } from '../../connection/connection.js';
import { selectError } from '../../connection/refused-folder.js';
import type { UntaggedResponse } from '../../wire/response.js';
import { mailboxName, modseqOf, nzNumberOf } from '../../wire/tokens.js';

/** What the server tells of a folder as it opens the folder. */
export interface FolderFacts {
  mailbox: string;
  exists: number;
  /** 1 where the server sends none. */
  uidValidity: number;
  uidNext: number | undefined;
  highestModseq: bigint | undefined;
}

/**
 * Opens folders read-only, one after the other, and does something in each: all in one packet, one round trip however
 * many folders. Afterwards no folder is selected. A server must work off such commands in their order, because one
 * depends on the other (RFC 9051 section 5.5).
 * @param begin begins its commands at once; they must not have literals that wait for the server
 * @param refused gets why folders could not be opened
 * @returns what `begin` came to, by folder; folders are missing that the server refused, or whose command it refused
 * @throws BrokerError CONNECTION_LOST, and what ended the connection
 */
export async function examineEach<T>(
  connection: ImapConnection,
  mailboxes: readonly string[],
  begin: (facts: Readonly<FolderFacts>) => Promise<T>,
  refused?: Map<string, BrokerError>,
): Promise<Map<string, { facts: FolderFacts; value: T }>> {
  const found = new Map<string, { facts: FolderFacts; value: T }>();
  connection.leave();
  const modseqs = offersModseqs(connection);
  const begun = connection.together(() => {
    const steps = mailboxes.map((mailbox) => {
      const facts: FolderFacts = { mailbox, exists: 0, uidValidity: 1, uidNext: undefined, highestModseq: undefined };
      const take = { EXISTS: takeExists(facts), OK: takeCode(facts, modseqs) };
      const opened = connection.exec('read', 'EXAMINE', [mailboxName(mailbox)], take);
      return { facts, done: Promise.allSettled([opened, begin(facts)]) };
    });
    // Behind an EXAMINE a CLOSE expunges nothing.
    const leave = connection.has('UNSELECT') || connection.has('IMAP4rev2') ? 'UNSELECT' : 'CLOSE';
    return { steps, left: Promise.allSettled([connection.exec('read', leave)]) };
  });
  for (const { facts, done } of begun.steps) {
    const [opened, value] = await done;
    if (opened.status === 'fulfilled' && value.status === 'fulfilled') {
      found.set(facts.mailbox, { facts, value: value.value });
    } else if (!connection.usable) {
      throw opened.status === 'rejected' ? opened.reason : (value as PromiseRejectedResult).reason;
    } else if (opened.status === 'rejected') {
      const error = selectError(opened.reason, facts.mailbox);
      if (error instanceof BrokerError) refused?.set(facts.mailbox, error);
    }
  }
  await begun.left;
  return found;
}

function takeExists(facts: FolderFacts) {
  return ({ number }: UntaggedResponse) => {
    if (number !== undefined) facts.exists = number;
  };
}

function takeCode(facts: FolderFacts, modseqs: boolean) {
  return ({ status }: UntaggedResponse) => {
    const value = status?.codeArgs[0];
    if (status?.code === 'UIDVALIDITY') facts.uidValidity = nzNumberOf(value) ?? 1;
    if (status?.code === 'UIDNEXT') facts.uidNext = nzNumberOf(value);
    if (modseqs && status?.code === 'HIGHESTMODSEQ') facts.highestModseq = modseqOf(value) || undefined;
  };
}
