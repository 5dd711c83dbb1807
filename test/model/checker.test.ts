import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dialect, startDialect } from '../support/dialects.js';
import { Manners } from '../support/unoffered.js';
import { type Command, histories } from './commands.js';
import { happen } from './histories.js';
import { type Lane, openLanes } from './lane.js';
import { lyingAboutCounts, lyingAboutPages, type Told, tellingChanges } from './liars.js';

let dialect: Dialect;
let lane: Lane;
let close: () => Promise<void>;
beforeAll(async () => {
  dialect = await startDialect('full');
  const opened = await openLanes(dialect, 1, new Manners(dialect.offered));
  [lane] = opened.lanes as [Lane];
  close = opened.close;
});
afterAll(async () => {
  await close();
  await dialect.dovecot.stop();
});

/**
 * Whether histories show that a broker does not tell the truth.
 * @param ending commands with which each history ends, where few would come to what shows the lie
 */
async function isFound(liar: Lane, numRuns = 1_000, ending: readonly Command[] = []): Promise<boolean> {
  const ended = histories.map(({ start, commands }) => ({ start, commands: [...commands, ...ending] }));
  const property = fc.asyncProperty(ended, (history) => happen(liar, history));
  const { failed, errorInstance } = await fc.check(property, { seed: 2, numRuns, endOnFailure: true });
  if (failed) expect(String(errorInstance)).toContain('AssertionError');
  return failed;
}

/** A page, another folder of the name while no connection has the first one selected, and what has changed. */
const replaced: Command[] = [
  { do: 'create', by: 'client', folder: 0 },
  { do: 'list', folder: 0, limit: 50, maxAgeMs: 0, fields: ['flags'] },
  { do: 'cut' },
  { do: 'recreate', folder: 0 },
  { do: 'changes', folder: 0, held: false },
];

describe('histories find a broker that', () => {
  it.each<[string, Parameters<typeof lyingAboutPages>[1]]>([
    ['never looks again', (_page, before) => before],
    ['looks at the number of messages alone', (page, before) => (page.total === before.total ? before : page)],
    [
      'does not see that flags change',
      (page, before) => {
        const flags = new Map(before.messages.map((message) => [message.uid, message.flags]));
        const messages = page.messages.map((message) => ({
          ...message,
          flags: flags.get(message.uid) ?? message.flags,
        }));
        return { ...page, messages: page.uidValidity === before.uidValidity ? messages : page.messages };
      },
    ],
    ['forgets its own writes where an answer may be old', (page, before, maxAgeMs) => (maxAgeMs > 0 ? before : page)],
    [
      'says that an old answer is a new one',
      (page) => ({ ...page, meta: { ...page.meta, asOf: '2020-01-01T00:00:00.000Z' } }),
    ],
    ['says that there is another page', (page) => ({ ...page, nextCursor: page.nextCursor ?? 'another' })],
    ['tells of the oldest first', (page) => ({ ...page, messages: [...page.messages].reverse() })],
  ])(
    '%s',
    async (_name, lie) => {
      expect(await isFound(lyingAboutPages(lane, lie))).toBe(true);
    },
    180_000,
  );

  it('counts once and never again', async () => {
    expect(await isFound(lyingAboutCounts(lane))).toBe(true);
  });

  it.each<[string, (told: Told) => Partial<Told>, Command[]?]>([
    ['leaves out what was removed', () => ({ removed: [] })],
    ['leaves out what was added', () => ({ added: [] })],
    ['leaves out which flags changed', () => ({ changed: [] })],
    ['cannot count', ({ total }) => ({ total: total + 1 })],
    ['never notices another folder of the name', () => ({ complete: true }), replaced],
  ])(
    'tells of changes but %s',
    async (_name, lie, ending) => {
      expect(await isFound(tellingChanges(lane, lie), 1_000, ending)).toBe(true);
    },
    180_000,
  );
});

describe('histories find no fault with a broker that', () => {
  it('tells of all changes', async () => {
    expect(
      await isFound(
        tellingChanges(lane, () => ({})),
        60,
      ),
    ).toBe(false);
    expect(lane.tally.complete).toBeGreaterThan(0);
  });

  it('cannot tell any changes', async () => {
    expect(
      await isFound(
        tellingChanges(lane, () => ({ complete: false })),
        30,
      ),
    ).toBe(false);
  });
});
