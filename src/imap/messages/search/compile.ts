import type { Criteria } from '../../../protocol/criteria.js';
import { atom, type ImapArgument } from '../../wire/tokens.js';
import { FILTER } from './bounds.js';
import type { Dialect } from './dialect.js';
import { anyOf, uidSet } from './keys.js';
import { flagKeys, leafKeys } from './leaf-keys.js';

/**
 * Criteria, of which the bounds are checked, as SEARCH, SORT and THREAD take them (RFC 9051 section 6.4.4).
 * @throws BrokerError INVALID_PARAMS, UNSUPPORTED
 */
export function compile(criteria: Criteria, dialect: Dialect, path = FILTER): ImapArgument[] {
  const group = (inner: Criteria, place: string): ImapArgument => [
    ...compile(inner, dialect, `${path}.${place}`),
    ...guard(inner),
  ];
  const { and = [], or = [], not, fuzzy } = criteria;
  const keys: ImapArgument[] = [
    ...leafKeys(criteria, dialect, path),
    ...and.map((inner, index) => group(inner, `and.${index}`)),
    ...anyOf(or.map((inner, index) => group(inner, `or.${index}`))),
  ];
  if (not) keys.push(atom('NOT'), group(not, 'not'));
  if (fuzzy) keys.push(...(dialect.has('SEARCH=FUZZY') ? [atom('FUZZY')] : []), group(fuzzy, 'fuzzy'));
  return keys.length > 0 ? keys : [atom('ALL')];
}

/**
 * Dovecot 2.3 joins flags wrongly: `OR UNSEEN UNDRAFT` finds only messages that are neither seen nor drafts. A key that
 * always holds keeps the flags of one group apart from those of the next.
 */
function guard(inner: Criteria): ImapArgument[] {
  return flagKeys.some(([name]) => inner[name] !== undefined) ? uidSet('1:*') : [];
}
