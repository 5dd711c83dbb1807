import type { Result } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { mailboxName, textOf } from '../wire/tokens.js';
import { asRights } from './folder-facts.js';
import { explainRefusal } from './mailboxes.js';

/** Most entries that are told, and most characters of an identifier. */
const MOST_ENTRIES = 1000;
const MOST_IDENTIFIER = 320;

/**
 * The access control list of a folder (GETACL, RFC 4314 section 3.3), at most 1,000 entries.
 * @throws BrokerError UNSUPPORTED where the server has no ACL, NOT_FOUND, IMAP_NO
 */
export async function aclOf(connection: ImapConnection, mailbox: string): Promise<Result<'mailbox.acl'>['entries']> {
  requireOffered(connection, 'ACL');
  const path = canonicalName(mailbox);
  const entries: Result<'mailbox.acl'>['entries'] = [];
  await connection
    .exec('read', 'GETACL', [mailboxName(path)], {
      ACL: ({ attributes: [name, ...pairs] }) => {
        if (canonicalName(connection.nameOf(name)) !== path) return;
        for (let at = 0; at + 1 < pairs.length && entries.length < MOST_ENTRIES; at += 2) {
          const identifier = textOf(pairs[at]);
          const rights = asRights(pairs[at + 1]);
          const isPlain = identifier.length <= MOST_IDENTIFIER && /^[^\p{Cc}\p{Cs}]+$/u.test(identifier);
          if (isPlain && rights !== undefined) entries.push({ identifier, rights });
        }
      },
    })
    .catch((failure) => explainRefusal(connection, path, failure));
  return entries;
}

/** @throws BrokerError UNSUPPORTED where the server offers none of these capabilities */
export function requireOffered(connection: ImapConnection, ...capabilities: [string, ...string[]]): void {
  if (capabilities.some((capability) => connection.has(capability))) return;
  throw new BrokerError('UNSUPPORTED', `mailbox: the IMAP server does not offer ${capabilities[0]}.`, {
    field: 'mailbox',
  });
}
