import type { Mailbox } from '../../protocol/methods/mailbox.js';
import { leafName, parentName } from '../wire/mailbox-names.js';
import { sortInTurns } from '../wire/sort-in-turns.js';
import { breathe } from '../wire/turn-budget.js';
import { isSelectable, type ListedMailbox, tooManyFolders } from './mailbox-list.js';
import { type Candidate, specialUseOrder, specialUses } from './special-use.js';

/** Most folders, including the levels above them. */
const MOST_ENTRIES = 100_000;

/** The same order on every host: the root locale, whatever the broker's is. */
const collator = new Intl.Collator('und', { numeric: true });

/**
 * The folders as a tree in one list: each folder before all folders below it; among siblings special ones first (INBOX
 * at the head), then by name. Parents that the server does not list are added.
 * @param foreign prefixes of other users' and shared folders, which are never guessed to be special
 */
export async function mailboxTree(listed: readonly ListedMailbox[], foreign: readonly string[]): Promise<Mailbox[]> {
  const entries = await withParents(listed);
  const children = await byParent(entries.values());
  const uses = await specialUses(candidates(entries.values(), foreign));
  const rank = (name: string) => {
    const use = uses.get(name)?.use;
    return use ? specialUseOrder.indexOf(use) : specialUseOrder.length;
  };
  const ordered: Mailbox[] = [];
  const walk = async (parent: string | null): Promise<void> => {
    const unsorted = (children.get(parent) ?? []).map((entry) => ({
      entry,
      leaf: leafName(entry.name, entry.delimiter),
    }));
    const siblings = await sortInTurns(
      unsorted,
      (a, b) =>
        rank(a.entry.name) - rank(b.entry.name) ||
        collator.compare(a.leaf, b.leaf) ||
        (a.entry.name < b.entry.name ? -1 : 1),
    );
    for (const { entry, leaf } of siblings) {
      const use = uses.get(entry.name);
      ordered.push({
        name: entry.name,
        parent,
        leaf,
        delimiter: entry.delimiter,
        specialUse: use?.use ?? null,
        specialUseSource: use?.source ?? null,
        subscribed: entry.subscribed,
        selectable: isSelectable(entry),
        hasChildren: children.has(entry.name) || entry.attributes.has('\\haschildren'),
        attributes: [...entry.shown],
        counts: entry.counts,
        facts: entry.facts,
      });
      if (children.has(entry.name)) await walk(entry.name);
      await breathe();
    }
  };
  await walk(null);
  return ordered;
}

/** Only the subscribed folders, and the parents that hold them. */
export function subscribedTree(tree: readonly Mailbox[]): Mailbox[] {
  const kept = new Set<string>();
  // Children come after their parents, so in reverse order each child is seen before its parent.
  for (const { name, parent, subscribed } of tree.toReversed()) {
    if (!subscribed && !kept.has(name)) continue;
    kept.add(name);
    if (parent !== null) kept.add(parent);
  }
  return tree.filter(({ name }) => kept.has(name));
}

async function withParents(listed: readonly ListedMailbox[]): Promise<Map<string, ListedMailbox>> {
  const entries = new Map(listed.map((entry) => [entry.name, entry]));
  for (const { name, delimiter } of listed) {
    await breathe();
    for (let above = parentName(name, delimiter); above !== null; above = parentName(above, delimiter)) {
      if (entries.has(above)) break;
      if (entries.size >= MOST_ENTRIES) throw tooManyFolders(MOST_ENTRIES);
      entries.set(above, {
        name: above,
        delimiter,
        attributes: new Set(['\\nonexistent']),
        shown: [],
        subscribed: false,
        counts: null,
        facts: null,
      });
    }
  }
  return entries;
}

async function byParent(entries: Iterable<ListedMailbox>): Promise<Map<string | null, ListedMailbox[]>> {
  const children = new Map<string | null, ListedMailbox[]>();
  for (const entry of entries) {
    const parent = parentName(entry.name, entry.delimiter);
    const siblings = children.get(parent);
    if (siblings) siblings.push(entry);
    else children.set(parent, [entry]);
    await breathe();
  }
  return children;
}

function* candidates(entries: Iterable<ListedMailbox>, foreign: readonly string[]): Generator<Candidate> {
  for (const entry of entries) {
    const { name, delimiter, attributes } = entry;
    yield {
      name,
      leaf: leafName(name, delimiter),
      depth: delimiter ? name.split(delimiter).length - 1 : 0,
      attributes,
      guessable: isSelectable(entry) && !foreign.some((prefix) => name.startsWith(prefix)),
    };
  }
}
