import type { ImapConnection } from '../imap/connection/connection.js';
import { BrokerError } from '../protocol/errors.js';
import { protocolLimits } from '../protocol/limits.js';
import type { Field } from '../protocol/rows.js';
import { type FoundChanges, findChanges, type Held } from '../view/changes-since.js';
import { fetchAllNew } from '../view/fetch-members.js';
import type { MailboxView } from '../view/mailbox-view.js';
import { fetchedPage } from '../view/page.js';
import { isInRanges, UidRanges } from '../view/ranges.js';
import { isUnchanged, lastingStateOf, rowsJson, stateOf, stateOfSame, versionOf } from '../view/state.js';
import type { PreparedHandler } from './context.js';
import { jobOf } from './support/job.js';
import { Prepared } from './support/prepared.js';

const { pageSize, uidRanges, changedUids } = protocolLimits;
/** Tries for changes and rows of one moment, while the folder goes on changing. */
const TRIES = 8;

interface Asked {
  since: string;
  held: Held;
  /** Of the rows of new messages; undefined where none are asked for. */
  fields: readonly Field[] | undefined;
}

/** What became of a folder, by the log of its view where that reaches back to the state, else by the server. */
export const mailboxChanges: PreparedHandler<'mailbox.changes'> = async (context, params) => {
  const { mailbox, since, uids, maxAgeMs = 0 } = params;
  const fields = params.rows ? [...new Set(params.fields)] : undefined;
  const asked = { since, held: uids === undefined ? undefined : heldOf(uids), fields };
  const reader = context.services.views.reader(context.account.key, mailbox);
  // What the server does not tell of by itself is asked for in any case.
  const unheard = fields !== undefined && reader.view.rows.changesUnheard(fields);
  const { value, origin } = await reader.read<string>(context.account, {
    key: JSON.stringify(['changes', since, uids, fields]),
    maxAgeMs: unheard ? 0 : maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => (view.placed && view.members.unknownOnTop === 0 ? remembered(view, asked) : undefined),
    fetch: (view, connection) => fetched(view, connection, asked),
  });
  return new Prepared(value, origin);
};

/** The uids that a caller has. @throws BrokerError INVALID_PARAMS where there are too many ranges */
function heldOf(uids: string | readonly (readonly [number, number])[]): Held {
  const ranges = new UidRanges();
  if (typeof uids === 'string') ranges.add(uids);
  else for (const [from, to] of uids) ranges.addRange(from, to);
  const held = ranges.mergedBelow(Number.POSITIVE_INFINITY);
  if (!ranges.full && held.length <= uidRanges) return held;
  throw new BrokerError('INVALID_PARAMS', `uids: at most ${uidRanges} ranges.`, { field: 'uids' });
}

function remembered(view: MailboxView, asked: Asked): string | undefined {
  if (!stateOfSame(view, asked.since)) return resetJson(view);
  const logged = loggedChanges(view, asked);
  if (!logged) return undefined;
  const rows = newest(asked, logged.changes).every((uid) => view.rows.has(uid, asked.fields ?? []));
  return rows ? changesJson(view, asked, logged.changes, logged.state) : undefined;
}

async function fetched(view: MailboxView, connection: ImapConnection, asked: Asked): Promise<string> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    await fetchAllNew(view, connection);
    const then = stateOfSame(view, asked.since);
    if (!then) return resetJson(view);
    const before = momentOf(view);
    const logged = loggedChanges(view, asked);
    const changes = logged?.changes ?? (await findChanges(view, connection, then, asked.held));
    const uids = newest(asked, changes);
    const page = uids.length > 0 && { start: undefined, limit: uids.length, fields: asked.fields ?? [] };
    if (page) await fetchedPage(view, connection, page);
    if (!connection.isFollowedBy(view)) throw new BrokerError('CONNECTION_LOST', 'Another folder has this name now.');
    // What came or went meanwhile would be in the lists and not in the state, or the other way round.
    if (momentOf(view) !== before || !uids.every((uid) => view.rows.has(uid, asked.fields ?? []))) continue;
    return changes ? changesJson(view, asked, changes, logged?.state ?? lastingStateOf(view)) : resetJson(view);
  }
  throw new BrokerError('IMAP_NO', 'The folder changes too quickly to be read.', { field: 'mailbox' });
}

/** Another text after each change that the view heard of. */
function momentOf({ log, members }: MailboxView): string {
  return [log.version, members.shifts, members.exists, members.unknownOnTop].join();
}

/** The changes as far as no question to the server is needed. */
function loggedChanges(
  view: MailboxView,
  { since, held }: Asked,
): { changes: FoundChanges; state: string } | undefined {
  const version = versionOf(view, since);
  const log = version === undefined ? undefined : view.log.since(version);
  const none = { added: [], changed: [], removed: [] };
  if (!log && !isUnchanged(view, since, 'folder')) return undefined;
  const { added, changed, removed } = log ?? none;
  const isHeld = (uid: number) => !held || isInRanges(held, uid);
  const flags = (uid: number) => JSON.parse(view.members.flagsOf(uid) ?? '[]') as string[];
  return {
    changes: {
      added: added.slice(-changedUids),
      changed: new Map(changed.filter(isHeld).map((uid) => [uid, flags(uid)])),
      removed: removed.filter(isHeld),
      unknown: new Set(),
    },
    state: log ? stateOf(view) : lastingStateOf(view),
  };
}

/** New messages that are answered with their rows, the newest first. */
function newest({ fields }: Asked, changes: FoundChanges | undefined): number[] {
  return fields && changes ? changes.added.slice(-pageSize).reverse() : [];
}

function changesJson(view: MailboxView, asked: Asked, changes: FoundChanges, state: string): string {
  const { added, removed } = changes;
  const uids = newest(asked, changes);
  const unknown = [...changes.unknown].sort();
  const changed = Array.from(changes.changed, ([uid, flags]) => ({ uid, flags }));
  const members = { complete: unknown.length === 0, reset: false, unknown, ...factsOf(view, state) };
  const json = JSON.stringify({ ...members, added, changed, removed }).slice(1, -1);
  if (!asked.fields) return json;
  const more = added.length > uids.length || changes.unknown.has('added') ? ',"more":true' : '';
  return `${json},"rows":${rowsJson(view, { uids }, asked.fields)}${more}`;
}

/** The answer where nothing of the state is good any more. */
function resetJson(view: MailboxView): string {
  const nothing = { added: [], changed: [], removed: [] };
  const members = { complete: false, reset: true, unknown: ['added', 'changed', 'removed'] };
  return JSON.stringify({ ...members, ...factsOf(view, stateOf(view)), ...nothing }).slice(1, -1);
}

function factsOf({ uidValidity = 0, members }: MailboxView, state: string) {
  return { uidValidity, state, total: members.exists };
}
