import type { Criteria } from '../../../protocol/criteria.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { ImapConnection } from '../../connection/connection.js';
import { atom, type ImapArgument, numberOf, textOf } from '../../wire/tokens.js';
import { keysFor, searchUids } from './search.js';

/** Uids that always fit into a command. */
const MOST_UIDS = 500;

/** How many messages match: only a number is sent where the server has ESEARCH (RFC 4731), else all uids are. */
export async function countHits(connection: ImapConnection, criteria: Criteria): Promise<number> {
  const counts = connection.has('ESEARCH') || connection.has('IMAP4rev2');
  // `n:*` finds the newest message, too, where that is below n: only its uid shows that.
  // A set of many uids is too long for a command; the broker compares those.
  const few = (criteria.uids?.length ?? 0) <= MOST_UIDS;
  const exact = few && criteria.uidRanges === undefined && criteria.uidAfter === undefined && !hasGroups(criteria);
  if (!counts || !exact) return (await searchUids(connection, criteria)).length;
  const keys = await keysFor(connection, criteria);
  if (hasLiteral(keys)) return (await searchUids(connection, criteria)).length;
  try {
    return (await countByServer(connection, keys)) ?? (await searchUids(connection, criteria)).length;
  } catch (error) {
    if (!(error instanceof BrokerError) || error.kind !== 'IMAP_NO' || !connection.usable) throw error;
    return (await searchUids(connection, criteria)).length;
  }
}

async function countByServer(connection: ImapConnection, keys: ImapArgument[]): Promise<number | undefined> {
  let count: number | undefined;
  await connection.exec('read', 'UID SEARCH', [atom('RETURN'), [atom('COUNT')], ...keys], {
    ESEARCH: ({ attributes }) => {
      const at = attributes.findIndex((attribute) => textOf(attribute).toUpperCase() === 'COUNT');
      if (at >= 0) count = numberOf(attributes[at + 1]);
    },
  });
  return count;
}

function hasGroups({ and, or, not, fuzzy }: Criteria): boolean {
  return and !== undefined || or !== undefined || not !== undefined || fuzzy !== undefined;
}

/** Whether the keys have text that needs a CHARSET, which {@link searchUids} sees to. */
function hasLiteral(keys: readonly ImapArgument[]): boolean {
  return keys.some((key) =>
    Array.isArray(key) ? hasLiteral(key) : typeof key === 'object' && 'type' in key && key.type === 'LITERAL',
  );
}
