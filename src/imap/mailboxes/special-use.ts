import { specialUse as guess } from 'imapflow/lib/special-use.js';
import type { Mailbox } from '../../protocol/methods/mailbox.js';
import { isInbox } from '../wire/mailbox-names.js';
import { sortInTurns } from '../wire/sort-in-turns.js';
import { breathe } from '../wire/turn-budget.js';

type SpecialUse = NonNullable<Mailbox['specialUse']>;

const byAttribute = new Map<string, SpecialUse>([
  ['\\all', 'all'],
  ['\\archive', 'archive'],
  ['\\drafts', 'drafts'],
  ['\\flagged', 'flagged'],
  ['\\junk', 'junk'],
  ['\\sent', 'sent'],
  ['\\trash', 'trash'],
]);

/** Special folders in display order. */
export const specialUseOrder: readonly SpecialUse[] = [
  'inbox',
  'flagged',
  'drafts',
  'sent',
  'archive',
  'all',
  'junk',
  'trash',
];

/** The facts from which special folders are chosen. */
export interface Candidate {
  name: string;
  leaf: string;
  /** Number of levels above the folder. */
  depth: number;
  /** Attributes of LIST in lower case. */
  attributes: ReadonlySet<string>;
  /** Whether the use may be guessed from the name: only for the user's own selectable folders. */
  guessable: boolean;
}

/** A use that the name of a folder suggests. */
interface Guess {
  name: string;
  use: SpecialUse;
  depth: number;
  /** Whether the name is nothing but that of the use. */
  plain: boolean;
}

/**
 * Which folders are special: by SPECIAL-USE (RFC 6154), and for uses that the server assigns to no folder by well-known
 * names in many languages. A guessed use goes to one folder: the plainest name, then the highest in the tree. In turns,
 * because to compare thousands of names takes long.
 */
export async function specialUses(
  candidates: Iterable<Candidate>,
): Promise<Map<string, { use: SpecialUse; source: 'server' | 'name' }>> {
  const uses = new Map<string, { use: SpecialUse; source: 'server' | 'name' }>();
  const guesses: Guess[] = [];
  for (const candidate of candidates) {
    const { name, attributes } = candidate;
    const use = useOf(name, attributes);
    if (use) uses.set(name, { use, source: 'server' });
    else guesses.push(...guessOf(candidate));
    await breathe();
  }
  const taken = new Set<string>(Array.from(uses.values(), ({ use }) => use));
  for (const { name, use } of await sortInTurns(guesses, byPlainness)) {
    if (taken.has(use)) continue;
    taken.add(use);
    uses.set(name, { use, source: 'name' });
  }
  return uses;
}

/** The use that the server assigns to a folder; of several the first in this file's order. */
export function useOf(name: string, attributes: ReadonlySet<string>): SpecialUse | undefined {
  return isInbox(name) ? 'inbox' : firstUse(attributes);
}

function firstUse(attributes: ReadonlySet<string>): SpecialUse | undefined {
  for (const [attribute, use] of byAttribute) if (attributes.has(attribute)) return use;
  return undefined;
}

function guessOf({ name, leaf, depth, guessable }: Candidate): Guess[] {
  if (!guessable) return [];
  const { flag, source } = guess(false, { name: leaf, flags: new Set() });
  const use = flag ? byAttribute.get(flag.toLowerCase()) : undefined;
  return use ? [{ name, use, depth, plain: source === 'name' }] : [];
}

function byPlainness(a: Guess, b: Guess): number {
  return Number(b.plain) - Number(a.plain) || a.depth - b.depth || (a.name < b.name ? -1 : 1);
}
