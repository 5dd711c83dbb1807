import type { ImapConnection } from '../../imap/connection/connection.js';
import { type KnownSize, sumOfSizes } from '../../imap/mailboxes/folder-size.js';
import type { MailboxInfo } from '../../imap/mailboxes/mailbox-info.js';
import type { SessionContext } from '../context.js';

/**
 * Bytes of all messages in the selected folder, summed up by the broker, which keeps the sum: it holds as long as the
 * folder has the same messages, whatever became of their flags. null where there is none: see {@link sumOfSizes}.
 * @throws BrokerError CONNECTION_LOST
 */
export async function computedSize(
  { account, services: { views, sessions } }: SessionContext,
  connection: ImapConnection,
  { mailbox, uidValidity, mailboxId, uidNext, messages }: MailboxInfo,
): Promise<number | null> {
  const name = JSON.stringify(['size', mailbox, uidValidity, mailboxId]);
  const kept = views.recallMade(account.key, name);
  const known = kept === undefined ? undefined : (JSON.parse(kept) as KnownSize);
  const bytes = await sumOfSizes(connection, { uidNext, messages }, known);
  if (bytes === undefined) return null;
  // The account's last session may have ended meanwhile, with all that was known of it.
  if (sessions.hasAccount(account.key)) {
    views.keepMade(account.key, name, JSON.stringify({ uidNext, messages, bytes } satisfies KnownSize));
  }
  return bytes;
}
