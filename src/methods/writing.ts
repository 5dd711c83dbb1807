import type { ImapConnection } from '../imap/connection/connection.js';
import type { SessionContext } from './context.js';
import { jobOf } from './job.js';

/** Folders that a write changes. */
export interface Affected {
  /** The one that the work selects: a view that follows the connection hears of the write by itself. */
  selected?: string;
  /** Others, which it does not hear of; `all`: folders themselves come, go or change their names. */
  others?: readonly string[] | 'all';
}

/** Runs a write, and sees to it that no answer from memory is older, whatever became of it. */
export async function write<T>(
  context: SessionContext,
  { selected, others = [] }: Affected,
  work: (connection: ImapConnection) => Promise<T>,
): Promise<T> {
  const { views } = context.services;
  const { key } = context.account;
  // Of what failed nobody knows whether all was heard.
  let heardBy: ImapConnection | undefined;
  const job = jobOf(context, {
    effect: 'write',
    mailbox: selected,
    // There the view knows what is there, and hears what becomes of it.
    prefers: (connection) => selected !== undefined && views.followedBy(connection, key, selected) !== undefined,
  });
  try {
    return await context.account.run(job, async (connection) => {
      const done = await work(connection);
      heardBy = connection;
      return done;
    });
  } finally {
    if (selected !== undefined) views.wrote(key, selected, heardBy);
    if (others === 'all') views.wroteAll(key);
    else for (const mailbox of others) views.wrote(key, mailbox);
  }
}
