import type { Meta } from '../../src/protocol/models.js';
import { type Outcome, outcomeOf } from './expected.js';
import type { Folder, State } from './state.js';
import type { Knowledge, Slot, World } from './world.js';

/** What mailbox.changes answers. */
interface Changes {
  complete: boolean;
  /** What the lists do not say; nothing is known where the folder is another one. */
  unknown?: string[];
  uidValidity: number;
  state: string;
  total: number;
  added: number[];
  changed: { uid: number; flags: string[] }[];
  removed: number[];
  meta: Meta;
}

interface Page {
  uidValidity: number;
  state?: unknown;
  messages: { uid: number; flags?: string[] | undefined }[];
}

/** What a validated page tells its reader of a folder: from the first one on changes are counted. */
export function learn(slot: Slot, page: Page, first: boolean): void {
  const now = slot.timeline.now;
  if (typeof page.state !== 'string' || !now) return;
  if (first) {
    const top = Math.max(0, ...now.mails.map(({ uid }) => uid));
    slot.knowledge = { state: page.state, uidValidity: now.uidValidity, top, uids: new Set(), flags: new Map() };
  }
  const { knowledge } = slot;
  if (knowledge?.uidValidity !== page.uidValidity) return;
  for (const { uid, flags } of page.messages) {
    knowledge.uids.add(uid);
    if (flags) knowledge.flags.set(uid, flags);
  }
}

/**
 * Asks what has changed since the reader last knew, and holds what it knows then against what is.
 * @param held whether it says which messages it has
 */
export async function changes(world: World, slot: Slot, held: boolean): Promise<void> {
  const { lane, socket } = world;
  const known = slot.knowledge;
  if (!lane.tellsChanges || !known) return;
  const sentAt = Date.now();
  let told: Changes | undefined;
  const uids = held ? { uids: [...known.uids].map((uid) => [uid, uid]) } : {};
  const outcome = await outcomeOf(
    lane.askPlainly(socket, 'mailbox.changes', { mailbox: slot.name, since: known.state, ...uids }).then((result) => {
      told = result as Changes;
      return applied(known, told);
    }),
  );
  lane.tally.changes += 1;
  if (told?.complete) lane.tally.complete += 1;
  const asOf = told && told.meta.source !== 'coalesced' ? { asOf: told.meta.asOf } : {};
  world.verify(slot, { sentAt, maxAgeMs: 0, ...asOf }, outcome, (state) => expected(known, state, told));
  slot.knowledge = told?.complete ? learned(known, told) : undefined;
}

/** What an answer does not say. */
function unknownIn({ complete, unknown = ['added', 'changed', 'removed'] }: Changes): ReadonlySet<string> {
  return new Set(complete ? [] : unknown);
}

/** The same view of the folder, from what the server has. */
function expected(known: Knowledge, state: State, told: Changes | undefined): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  const unknown = told ? unknownIn(told) : new Set<string>();
  // Another folder has the name now: its messages are others, whatever their uids.
  if (!unknown.has('added') && known.uidValidity !== state.uidValidity) return { error: 'none, but reset: true' };
  const counts = { uidValidity: state.uidValidity, total: state.mails.length };
  if (unknown.has('added')) return { ok: counts };
  const there = knownTo(known, state);
  // Where it cannot be told what is gone, it may be among what the reader knows.
  const gone =
    told && unknown.has('removed') ? [...learned(known, told).uids].filter((uid) => !there.includes(uid)) : [];
  const uids = [...there, ...gone].sort((a, b) => a - b);
  return { ok: { ...counts, uids, ...(unknown.size > 0 ? {} : { flags: shownFlags(known, state, told) }) } };
}

/** What it was shown, and what came since. */
function knownTo({ uids, top }: Knowledge, { mails }: Folder): number[] {
  return mails.map(({ uid }) => uid).filter((uid) => uids.has(uid) || uid > top);
}

function shownFlags({ flags }: Knowledge, { mails }: Folder, told: Changes | undefined): [number, string[]][] {
  const isNew = (uid: number) => told?.added.includes(uid) === true;
  return mails.filter(({ uid }) => flags.has(uid) && !isNew(uid)).map((mail) => [mail.uid, mail.flags]);
}

function applied(known: Knowledge, told: Changes): unknown {
  const { uidValidity, total } = told;
  const unknown = unknownIn(told);
  if (unknown.has('added')) return { uidValidity, total };
  const { uids, flags } = learned(known, told);
  const sorted = [...uids].sort((a, b) => a - b);
  const shown = unknown.size > 0 ? {} : { flags: [...flags].sort(([a], [b]) => a - b) };
  return { uidValidity, total, uids: sorted, ...shown };
}

function learned(known: Knowledge, { state, uidValidity, added, changed, removed }: Changes): Knowledge {
  const uids = new Set([...known.uids, ...added]);
  const flags = new Map(known.flags);
  // What is new since the state is read anew, also where a later answer has shown it already.
  for (const uid of added) flags.delete(uid);
  for (const { uid, flags: now } of changed) if (flags.has(uid)) flags.set(uid, now);
  for (const uid of removed) {
    uids.delete(uid);
    flags.delete(uid);
  }
  return { state, uidValidity, top: known.top, uids, flags };
}
