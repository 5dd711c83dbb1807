import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import type { UntaggedHandler } from '../wire/command.js';
import { tooLarge } from '../wire/errors.js';
import { sequenceSets } from '../wire/sequence-set.js';
import { atom, type ImapAttribute, listOf, nzNumberOf, sequence } from '../wire/tokens.js';
import { fetchRows, MOST_KEPT_BYTES, survivingExpunge } from './fetch-rows.js';
import { labelArgument } from './search/leaf-keys.js';

const ITEM = 'X-GM-LABELS';

/** @throws BrokerError UNSUPPORTED where messages have no labels: everywhere but at Gmail */
export function requireGmail(connection: ImapConnection): void {
  if (connection.has('X-GM-EXT-1')) return;
  throw new BrokerError('UNSUPPORTED', 'The IMAP server has no labels: only Gmail has (X-GM-EXT-1).');
}

/** The labels that a FETCH response tells, in Unicode and in a stable order. */
export function labelsOf(connection: ImapConnection, value: ImapAttribute | undefined): string[] {
  return listOf(value)
    .map((one) => connection.nameOf(one))
    .filter((name) => name !== '')
    .sort();
}

/**
 * Adds labels to messages of the selected folder and removes others.
 * @returns the labels afterwards by uid, as the server has them: from its responses, or by a FETCH where those are
 * missing. Messages that are not in the folder afterwards are left out: one may have left it with its label.
 * @throws BrokerError IMAP_NO
 */
export async function storeLabels(
  connection: ImapConnection,
  uids: readonly number[],
  { add, remove }: { add: readonly string[]; remove: readonly string[] },
): Promise<Map<number, string[]>> {
  const asked = new Set(uids);
  const before = connection.selected?.exists ?? 0;
  let told = new Map<number, string[]>();
  for (const [item, labels] of [
    [`+${ITEM}`, add],
    [`-${ITEM}`, remove],
  ] as const) {
    if (labels.length === 0) continue;
    // What the first command told is not true any more after the second.
    told = new Map();
    const handlers = { FETCH: labelCollector(connection, told) };
    for (const set of sequenceSets(uids)) {
      const args = [sequence(set), atom(item), labels.map(labelArgument)];
      await survivingExpunge(connection, () => connection.exec('write', 'UID STORE', args, handlers));
    }
  }
  // Messages are gone, perhaps some whose labels STORE told.
  const doubted = (connection.selected?.exists ?? 0) < before;
  const done = new Map([...told].filter(([uid, now]) => asked.has(uid) && !doubted && isDone(now, add, remove)));
  for (const set of sequenceSets(uids.filter((uid) => !done.has(uid)))) {
    const reduce = (row: { uid: number; items: ReadonlyMap<string, ImapAttribute> }) => ({
      uid: row.uid,
      labels: labelsOf(connection, row.items.get(ITEM)),
    });
    const rows = await fetchRows(connection, set, [atom(ITEM)], 'uid', { reduce });
    for (const { uid, labels } of rows) if (asked.has(uid)) done.set(uid, labels);
  }
  return done;
}

/** Keeps the labels that responses tell with a uid; the last response for a message counts. */
function labelCollector(connection: ImapConnection, into: Map<number, string[]>): UntaggedHandler {
  let bytes = 0;
  return ({ items, size }) => {
    bytes += size;
    if (bytes > MOST_KEPT_BYTES) {
      connection.giveUp(tooLarge('bytes of labels', MOST_KEPT_BYTES));
      return;
    }
    const uid = nzNumberOf(items.get('UID'));
    if (uid !== undefined && items.has(ITEM)) into.set(uid, labelsOf(connection, items.get(ITEM)));
  };
}

function isDone(now: readonly string[], add: readonly string[], remove: readonly string[]): boolean {
  const has = new Set(now.map((label) => label.toLowerCase()));
  return add.every((label) => has.has(label.toLowerCase())) && !remove.some((label) => has.has(label.toLowerCase()));
}
