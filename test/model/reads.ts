import type { ParamsIn, Result } from '../../src/protocol/contract.js';
import type { Meta } from '../../src/protocol/models.js';
import type { ListField } from '../../src/protocol/rows.js';
import { changes, learn } from './changes.js';
import { type Read, searches, type ThreadsRead } from './commands.js';
import {
  expectedCounts,
  expectedHits,
  expectedMessages,
  expectedPage,
  expectedThreads,
  type Outcome,
  outcomeOf,
  type PageStart,
  shownHits,
  shownMessages,
  shownPage,
  shownThreads,
} from './expected.js';
import type { State } from './state.js';
import { type Slot, uidsOf, type World } from './world.js';

/** Lets the broker answer, and holds the answer against what the folders are and were. */
export async function read(world: World, command: Read): Promise<void> {
  switch (command.do) {
    case 'list':
      return list(world, world.slot(command.folder), command, undefined);
    case 'next': {
      const slot = world.slot(command.folder);
      return list(world, slot, command, slot.page);
    }
    case 'get':
      return get(world, command);
    case 'search':
      return search(world, command);
    case 'threads':
      return threads(world, command);
    case 'status':
    case 'folders':
      return counts(world, command);
    case 'changes':
      return changes(world, world.slot(command.folder));
  }
}

async function list(
  world: World,
  slot: Slot,
  { limit, maxAgeMs, fields }: { limit: number; maxAgeMs: number; fields: ListField[] },
  start: PageStart | undefined,
): Promise<void> {
  // Where there are no previews, no request asks for them.
  const wanted = fields.filter((field) => field !== 'preview' || world.lane.served.previews);
  const params = { mailbox: slot.name, limit, maxAgeMs, fields: wanted, ...(start && { cursor: start.cursor }) };
  const { answer } = await asked(world, slot, maxAgeMs, 'message.list', params, shownPage, (state) =>
    expectedPage(state, limit, start, wanted),
  );
  if (!answer) {
    slot.page = undefined;
    return;
  }
  const { uidValidity, messages, nextCursor } = answer;
  const below = messages.at(-1)?.uid ?? 0;
  slot.uidValidity = uidValidity;
  if (maxAgeMs === 0) learn(slot, answer, start === undefined);
  slot.page = nextCursor === null ? undefined : { cursor: nextCursor, uidValidity, below };
}

async function get(world: World, { folder, pick, maxAgeMs }: Extract<Read, { do: 'get' }>): Promise<void> {
  const slot = world.slot(folder);
  const now = slot.timeline.now;
  const uidValidity = slot.uidValidity ?? now?.uidValidity;
  if (uidValidity === undefined) return;
  // One that was never there as well.
  const uids = [...uidsOf(slot, pick), (now?.uidNext ?? 0) + 7];
  const params = { mailbox: slot.name, uidValidity, uids, maxAgeMs };
  await asked(world, slot, maxAgeMs, 'message.get', params, shownMessages, (state) =>
    expectedMessages(state, uidValidity, uids),
  );
}

async function search(world: World, { folder, criteria: name, maxAgeMs }: Extract<Read, { do: 'search' }>) {
  const slot = world.slot(folder);
  const { criteria, finds } = searches[name];
  const params = { mailbox: slot.name, criteria, fields: ['envelope' as const, 'flags' as const], maxAgeMs };
  await asked(world, slot, maxAgeMs, 'message.search', params, shownHits, (state) => expectedHits(state, finds));
}

/** An answer that is told to be unchanged is held against the folder as if it had been given again. */
async function threads(world: World, { folder, criteria: name, whole, limit, fields, maxAgeMs, kept }: ThreadsRead) {
  const slot = world.slot(folder);
  const { criteria: filter, finds } = searches[name];
  const wanted = fields.filter((field) => field !== 'preview' || world.lane.served.previews);
  const question = { filter, whole, limit, fields: wanted };
  const before = slot.conversations?.question === JSON.stringify(question) ? slot.conversations.answer : undefined;
  const params = { mailbox: slot.name, ...question, maxAgeMs, ...(kept && before && { ifState: before.state }) };
  const whatIsTold = (answer: Result<'message.threads'>) =>
    shownThreads('unchanged' in answer && before ? before : answer);
  const { answer } = await asked(world, slot, maxAgeMs, 'message.threads', params, whatIsTold, (state) =>
    expectedThreads(state, { finds, whole, limit, fields: wanted }),
  );
  if (!answer) slot.conversations = undefined;
  else if (!('unchanged' in answer)) slot.conversations = { question: JSON.stringify(question), answer };
}

async function counts(world: World, command: Extract<Read, { do: 'status' | 'folders' }>): Promise<void> {
  const { lane, slots, socket } = world;
  const { maxAgeMs } = command;
  const names = slots.map(({ name }) => name);
  const sentAt = Date.now();
  const asking = async () => {
    if (command.do === 'status') {
      const { statuses, meta } = await lane.ask(socket, 'mailbox.status', { mailboxes: names, maxAgeMs });
      return { meta, counts: new Map(statuses.map(({ mailbox, counts: told }) => [mailbox, told])) };
    }
    const { mailboxes, meta } = await lane.ask(socket, 'mailbox.list', { counts: true, maxAgeMs });
    return { meta, counts: new Map(mailboxes.map(({ name, counts: told }) => [name, told])) };
  };
  let answer: Awaited<ReturnType<typeof asking>> | undefined;
  const outcome = await outcomeOf(
    asking().then((told) => {
      answer = told;
    }),
  );
  const withSize = lane.served.offered.has('STATUS=SIZE');
  for (const slot of slots) {
    const told: Outcome = answer ? { ok: answer.counts.get(slot.name) ?? null } : outcome;
    const asked = { sentAt, maxAgeMs, ...(answer && ageOf(answer.meta, maxAgeMs)) };
    world.verify(slot, asked, told, (state) => expectedCounts(state, withSize));
  }
}

/** Asks about one folder and verifies the answer; answers it as it came, where it is no error. */
async function asked<M extends 'message.list' | 'message.get' | 'message.search' | 'message.threads'>(
  world: World,
  slot: Slot,
  maxAgeMs: number,
  method: M,
  params: Omit<ParamsIn<M>, 'session'>,
  shown: (result: Result<M>) => unknown,
  expected: (state: State) => Outcome,
): Promise<{ answer: Result<M> | undefined }> {
  const sentAt = Date.now();
  let answer: Result<M> | undefined;
  const outcome = await outcomeOf(
    world.lane.ask(world.socket, method, params).then((result) => {
      answer = result;
      return shown(result);
    }),
  );
  world.verify(slot, { sentAt, maxAgeMs, ...(answer && ageOf(answer.meta, maxAgeMs)) }, outcome, expected);
  return { answer };
}

/** What is shared with another request is as old as that one; with a live watch an answer may be as old as it says. */
function ageOf({ asOf, source, lagMs = 0 }: Meta, maxAgeMs: number): { asOf?: string; maxAgeMs?: number } {
  if (source === 'coalesced') return {};
  return maxAgeMs > 0 ? { asOf, maxAgeMs: Math.max(maxAgeMs, lagMs) } : { asOf };
}
