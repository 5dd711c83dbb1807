import { expect } from 'vitest';
import type { Answer, ParamsIn, Result } from '../../src/protocol/contract.js';
import type { Meta } from '../../src/protocol/models.js';
import type { ListField } from '../../src/protocol/rows.js';
import { changes, learn } from './changes.js';
import { type Filtered, orders, type Read, searches, type ThreadsRead } from './commands.js';
import {
  expectedCounts,
  expectedHits,
  expectedList,
  expectedMessages,
  expectedPage,
  expectedThreads,
  type Outcome,
  outcomeOf,
  type PageStart,
  searchedFields,
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
    case 'filtered':
      return filtered(world, command);
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
      return changes(world, world.slot(command.folder), command.held);
  }
}

async function list(
  world: World,
  slot: Slot,
  { limit, maxAgeMs, fields }: { limit: number; maxAgeMs: number; fields: ListField[] },
  start: PageStart | undefined,
): Promise<void> {
  const params = { mailbox: slot.name, limit, maxAgeMs, fields, ...(start && { cursor: start.cursor }) };
  const { answer } = await asked(world, slot, maxAgeMs, 'message.list', params, shownPage, (state) =>
    expectedPage(state, limit, start, fields),
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

/** A list with a filter or a sort; one that is unchanged must be what was answered with that state. */
async function filtered(world: World, command: Filtered): Promise<void> {
  const { filter, sort, limit, maxAgeMs, kept, goesOn } = command;
  const slot = world.slot(command.folder);
  const fields = command.fields;
  const ends = `${filter} ${sort}`;
  const start = goesOn && sort === 'folder' ? slot.found.get(ends) : undefined;
  const place = start ? { cursor: start.cursor } : { offset: command.offset };
  const listing = { filter: searches[filter].criteria, sort: orders[sort].sort && [...orders[sort].sort] };
  const asks = { ...listing, limit, fields, ...place };
  const before = kept ? slot.kept.get(JSON.stringify(asks)) : undefined;
  const params = { mailbox: slot.name, maxAgeMs, ...asks, ...(before && { ifState: before.state }) };
  const shown = (answer: Answer<'message.list'>) => {
    if ('unchanged' in answer) return before?.shown;
    const page = shownPage(answer);
    if (answer.state !== null) slot.kept.set(JSON.stringify(asks), { state: answer.state, shown: page });
    return page;
  };
  const wanted = { filter, sort, offset: command.offset, limit, fields, start };
  const { answer } = await asked(world, slot, maxAgeMs, 'message.list', params, shown, (state) =>
    expectedList(state, wanted),
  );
  if (!answer) slot.found.delete(ends);
  if (answer && !('unchanged' in answer) && maxAgeMs === 0) learn(slot, answer, false);
  if (!answer || 'unchanged' in answer || sort !== 'folder') return;
  const { uidValidity, messages, nextCursor } = answer;
  if (nextCursor === null) slot.found.delete(ends);
  // All messages in the order of the folder have cursors of their own; they are the same thing here.
  else slot.found.set(ends, { cursor: nextCursor, uidValidity, below: messages.at(-1)?.uid ?? 0 });
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

async function search(world: World, command: Extract<Read, { do: 'search' }>) {
  const { maxAgeMs } = command;
  const { criteria: filter, finds } = searches[command.criteria];
  const slots = command.all ? world.slots.filter(({ timeline }) => timeline.now) : [world.slot(command.folder)];
  if (slots.length === 0) return;
  const mailboxes = slots.map(({ name }) => name);
  const sentAt = Date.now();
  let answer: Result<'message.search'> | undefined;
  const asking = world.lane.ask(world.socket, 'message.search', {
    mailboxes,
    filter,
    fields: searchedFields,
    maxAgeMs,
  });
  const outcome = await outcomeOf(
    asking.then((result) => {
      answer = result;
    }),
  );
  for (const slot of slots) {
    // Connections were broken while it was searched.
    if (world.unsteady && answer?.incomplete.includes(slot.name)) continue;
    const told: Outcome = answer ? { ok: shownHits(answer, slot.name) } : outcome;
    const asked = { sentAt, maxAgeMs, ...(answer && ageOf(answer.meta, maxAgeMs)) };
    world.verify(slot, asked, told, (state) => expectedHits(state, finds));
  }
  if (!answer) return;
  const order = answer.messages.map(({ internalDate, mailbox, uid }) => ({ internalDate, mailbox, uid }));
  expect(order).toEqual([...order].sort(newestFirst));
  if (!world.unsteady) expect(answer).toMatchObject({ incomplete: [], searched: slots.length, nextCursor: null });
}

/** The order of message.search: dates, then folders; then as the server sorts, and Courier turns equal ones round. */
function newestFirst(a: Hit, b: Hit): number {
  const [first, second] = [Date.parse(a.internalDate ?? ''), Date.parse(b.internalDate ?? '')];
  if (first !== second) return second - first;
  if (a.mailbox === b.mailbox) return 0;
  return a.mailbox < b.mailbox ? -1 : 1;
}

type Hit = Pick<Result<'message.search'>['messages'][number], 'internalDate' | 'mailbox' | 'uid'>;

/** An answer that is told to be unchanged is held against the folder as if it had been given again. */
async function threads(world: World, { folder, criteria: name, whole, limit, fields, maxAgeMs, kept }: ThreadsRead) {
  const slot = world.slot(folder);
  const { criteria: filter, finds } = searches[name];
  const question = { filter, whole, limit, fields };
  const before = slot.conversations?.question === JSON.stringify(question) ? slot.conversations.answer : undefined;
  const params = { mailbox: slot.name, ...question, maxAgeMs, ...(kept && before && { ifState: before.state }) };
  const whatIsTold = (answer: Result<'message.threads'>) =>
    shownThreads('unchanged' in answer && before ? before : answer);
  const { answer } = await asked(world, slot, maxAgeMs, 'message.threads', params, whatIsTold, (state) =>
    expectedThreads(state, { finds, whole, limit, fields }),
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
async function asked<M extends 'message.list' | 'message.get' | 'message.threads'>(
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
