import { BrokerError } from '../../../protocol/errors.js';
import type { Field, MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { isRefusal } from '../../mailboxes/mailbox-status.js';
import { FETCH_BATCH, fetchSummaries } from '../fetch.js';
import { examineEach } from './examine-each.js';

/** Messages of a page that are in one folder. */
export interface Share {
  mailbox: string;
  uidValidity: number;
  uids: number[];
}

/**
 * Fetches the rows of messages in several folders, in one round trip where one suffices. Messages that are gone, and
 * those of folders that are gone or were replaced, have no row.
 * @returns folders that the server refuses
 */
export async function fetchShares(
  connection: ImapConnection,
  shares: readonly Share[],
  fields: readonly Field[],
  take: (share: Share, rows: MessageSummary[]) => void,
): Promise<string[]> {
  let left = shares;
  if (shares.length > 1 && isOneFetch(connection, shares, fields)) {
    const byName = new Map(shares.map((share) => [share.mailbox, share]));
    const done = await examineEach(connection, [...byName.keys()], ({ mailbox }) =>
      fetchSummaries(connection, byName.get(mailbox)?.uids ?? [], fields),
    );
    for (const [mailbox, { facts, value }] of done) {
      const share = byName.get(mailbox);
      if (share) take(share, facts.uidValidity === share.uidValidity ? value : []);
    }
    // What needed a second command was refused, because no folder was selected any more.
    left = shares.filter(({ mailbox }) => !done.has(mailbox));
  }
  const refused: string[] = [];
  for (const share of left) {
    try {
      await connection.select(share.mailbox, { uidValidity: share.uidValidity });
      take(share, await fetchSummaries(connection, share.uids, fields));
    } catch (failure) {
      const replaced = failure instanceof BrokerError && failure.kind === 'STATE_CHANGED';
      if (!replaced && !isRefusal(failure)) throw failure;
      if (failure.kind === 'IMAP_NO') refused.push(share.mailbox);
    }
  }
  return refused;
}

function isOneFetch(connection: ImapConnection, shares: readonly Share[], fields: readonly Field[]): boolean {
  if (fields.includes('preview') && !connection.has('PREVIEW')) return false;
  return shares.every(({ uids }) => uids.length <= FETCH_BATCH);
}
