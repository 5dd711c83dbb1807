import type { ImapConnection } from '../../imap/connection.js';
import { existing } from '../../imap/store.js';
import type { SessionContext } from '../context.js';
import { jobOf } from '../job.js';

interface Named {
  mailbox: string;
  uidValidity: number;
  uids: readonly number[];
}

/** Does something to those of the named messages that exist, and tells which do not. */
export function onExisting<T>(
  context: SessionContext,
  { mailbox, uidValidity, uids }: Named,
  work: (connection: ImapConnection, found: number[]) => Promise<T>,
): Promise<{ value: T; notFound: number[] }> {
  return context.account.run(jobOf(context, { effect: 'write', mailbox }), async (connection) => {
    await connection.select(mailbox, { uidValidity });
    const found = await existing(connection, uids);
    const there = new Set(found);
    const value = await work(connection, found);
    return { value, notFound: [...new Set(uids)].filter((uid) => !there.has(uid)) };
  });
}
