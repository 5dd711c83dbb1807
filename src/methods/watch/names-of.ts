import { canonicalName } from '../../imap/wire/mailbox-names.js';

/** The names of folders as events have them, each once. */
export function namesOf(mailboxes: readonly string[]): string[] {
  return [...new Set(mailboxes.map(canonicalName))];
}
