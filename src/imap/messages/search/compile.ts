import type { Criteria } from '../../../protocol/criteria.js';
import { atom, type ImapArgument } from '../../wire/tokens.js';
import { FILTER, type Group, requireShort } from './bounds.js';
import type { Dialect } from './dialect.js';
import { anyOf, uidSet } from './keys.js';
import { comparisonsIn, flagKeys, leafKeys } from './leaf-keys.js';

/**
 * Criteria as SEARCH, SORT and THREAD take them (RFC 9051 section 6.4.4).
 * @param groups of the criteria, by `boundedGroups`: the outermost first
 * @param wide whether long sets of uids that must hold in any case may be written as one range around them: `askedFor`
 * then leaves out the hits in between
 * @throws BrokerError INVALID_PARAMS, UNSUPPORTED
 */
export function compile(groups: readonly Group[], dialect: Dialect, wide = false): ImapArgument[] {
  const comparisons = groups.reduce((sum, { criteria }) => sum + comparisonsIn(criteria), 0);
  const compiler = new Compiler(dialect, comparisons > 1);
  return requireShort(compiler.keys(groups[0]?.criteria ?? {}, FILTER, { negated: false, wide }));
}

/** How a group stands to the whole. */
interface Sense {
  /** Whether an odd number of NOT is around the group. */
  negated: boolean;
  /** Whether its sets of uids may be widened: see {@link compile}. */
  wide: boolean;
}

class Compiler {
  readonly #dialect: Dialect;
  /** Whether comparisons could be joined with one another. */
  readonly #several: boolean;

  constructor(dialect: Dialect, several: boolean) {
    this.#dialect = dialect;
    this.#several = several;
  }

  keys(criteria: Criteria, path: string, { negated, wide }: Sense): ImapArgument[] {
    const group = (inner: Criteria, place: string, sense: Sense = { negated, wide: false }): ImapArgument => [
      ...this.keys(inner, `${path}.${place}`, sense),
      ...guard(inner, sense.negated && this.#several),
    ];
    const { and = [], or = [], not, fuzzy } = criteria;
    const keys: ImapArgument[] = [
      ...leafKeys(criteria, this.#dialect, { path, apart: negated && this.#several, wide }),
      ...and.map((inner, index) => group(inner, `and.${index}`, { negated, wide })),
      ...anyOf(or.map((inner, index) => group(inner, `or.${index}`))),
    ];
    if (not) keys.push(atom('NOT'), group(not, 'not', { negated: !negated, wide: false }));
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
