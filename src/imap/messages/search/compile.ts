import type { Criteria } from '../../../protocol/criteria.js';
import { atom, type ImapArgument } from '../../wire/tokens.js';
import { FILTER, type Group } from './bounds.js';
import type { Dialect } from './dialect.js';
import { anyOf, uidSet } from './keys.js';
import { comparisonsIn, flagKeys, leafKeys } from './leaf-keys.js';

/**
 * Criteria as SEARCH, SORT and THREAD take them (RFC 9051 section 6.4.4).
 * @param groups of the criteria, by `boundedGroups`: the outermost first
 * @throws BrokerError INVALID_PARAMS, UNSUPPORTED
 */
export function compile(groups: readonly Group[], dialect: Dialect): ImapArgument[] {
  const comparisons = groups.reduce((sum, { criteria }) => sum + comparisonsIn(criteria), 0);
  return new Compiler(dialect, comparisons > 1).keys(groups[0]?.criteria ?? {}, FILTER, false);
}

class Compiler {
  readonly #dialect: Dialect;
  /** Whether comparisons could be joined with one another. */
  readonly #several: boolean;

  constructor(dialect: Dialect, several: boolean) {
    this.#dialect = dialect;
    this.#several = several;
  }

  /** @param negated whether an odd number of NOT is around the group */
  keys(criteria: Criteria, path: string, negated: boolean): ImapArgument[] {
    const group = (inner: Criteria, place: string, inNegated = negated): ImapArgument => [
      ...this.keys(inner, `${path}.${place}`, inNegated),
      ...guard(inner, inNegated && this.#several),
    ];
    const { and = [], or = [], not, fuzzy } = criteria;
    const keys: ImapArgument[] = [
      ...leafKeys(criteria, this.#dialect, { path, apart: negated && this.#several }),
      ...and.map((inner, index) => group(inner, `and.${index}`)),
      ...anyOf(or.map((inner, index) => group(inner, `or.${index}`))),
    ];
    if (not) keys.push(atom('NOT'), group(not, 'not', !negated));
    if (fuzzy) keys.push(...(this.#dialect.has('SEARCH=FUZZY') ? [atom('FUZZY')] : []), group(fuzzy, 'fuzzy'));
    return keys.length > 0 ? keys : [atom('ALL')];
  }
}

/**
 * Dovecot 2.3 joins flags wrongly: `OR UNSEEN UNDRAFT` finds only messages that are neither seen nor drafts. A key that
 * always holds keeps the flags of one group apart from those of the next, and comparisons that must be kept apart.
 */
function guard(inner: Criteria, apart: boolean): ImapArgument[] {
  const guarded = flagKeys.some(([name]) => inner[name] !== undefined) || (apart && comparisonsIn(inner) > 0);
  return guarded ? uidSet('1:*') : [];
}
