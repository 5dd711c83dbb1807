import fc from 'fast-check';
import type { DialectName } from '../support/dialects.js';
import { startDialect } from '../support/dialects.js';
import { AnsweredError } from '../support/running-broker.js';
import { Manners } from '../support/unoffered.js';
import { type Command, type History, histories } from './commands.js';
import { keepEvidence } from './evidence.js';
import { type Lane, openLanes } from './lane.js';
import { read } from './reads.js';
import { World } from './world.js';
import { write } from './writes.js';

/** Histories at the same time; more only wait for each other. */
const LANES = 4;
const DEFAULT_RUNS = 2000;

/** Beside a twentieth: more would hide what the broker does wrong. */
const MOST_SPOILED = 5;

/** The other client's connection is as good as a new one: so often that is looked after. */
const CONFIRM_EACH = 10;

/** Lets one history happen. */
export async function happen(lane: Lane, history: History): Promise<void> {
  const { start, commands } = history;
  const world = await World.make(lane, start);
  try {
    for (const command of commands) await run(world, command);
    lane.tally.histories += 1;
    if (lane.tally.histories % CONFIRM_EACH === 0) await world.confirm();
  } catch (failure) {
    const spoiled = await world.isSpoiled(failure);
    if (spoiled) lane.tally.spoiled += 1;
    else keepEvidence(lane, history, failure);
    fc.pre(!spoiled);
    throw failure;
  } finally {
    await world.end();
  }
}

async function run(world: World, command: Command): Promise<void> {
  world.lane.tally.commands += 1;
  switch (command.do) {
    case 'cut':
      return cut(world);
    case 'together': {
      world.unsteady ||= command.cut;
      const reading = command.reads.map((one) => read(world, one));
      if (command.cut) cut(world);
      await allDone(reading);
      world.unsteady = false;
      return;
    }
    case 'race': {
      const bystander = world.bystander();
      const reading = command.reads.map((one) => read(bystander, one).catch(unlessRefused));
      return allDone([...reading, write(world, command.write)]);
    }
    case 'list':
    case 'next':
    case 'get':
    case 'search':
    case 'status':
    case 'folders':
    case 'changes':
      await read(world, command);
      world.unsteady = false;
      return;
    case 'append':
    case 'flag':
    case 'expunge':
    case 'move':
    case 'copy':
      return write(world, command);
    default:
      // Folders come and go.
      world.unsteady = true;
      return write(world, command);
  }
}

/** While others write a folder may be gone, and connections are broken twice. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof AnsweredError) || ['INTERNAL', 'DEADLINE', 'INVALID_PARAMS'].includes(error.data.kind))
    throw error;
}

/** Waits for all, so that nothing goes on behind a failure. */
async function allDone(work: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function cut(world: World): void {
  world.lane.relay.cut();
}

/** Milliseconds that a share of the histories may take, many times what they need. */
export function timeoutMs(share: number): number {
  return 60_000 + countOf(share) * 150;
}

function countOf(share: number): number {
  return Math.ceil(Number(process.env.MODEL_RUNS ?? DEFAULT_RUNS) * share);
}

/**
 * Lets random histories happen on servers of a dialect, a share of `MODEL_RUNS` of them. `MODEL_SEED` and `MODEL_PATH`,
 * as a failure names them, repeat that one.
 * @throws with the smallest history that fails, its seed and its path; or with the commands that the server never offered
 */
export async function hold(name: DialectName, share: number): Promise<void> {
  const { MODEL_SEED, MODEL_PATH: path } = process.env;
  const seed = MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(MODEL_SEED);
  const begun = performance.now();
  const dialect = await startDialect(name);
  const manners = new Manners(dialect.offered);
  const { lanes, close } = await openLanes(dialect, path === undefined ? LANES : 1, manners);
  try {
    await allDone(
      lanes.map((lane, index) =>
        fc.assert(
          fc.asyncProperty(histories, (history) => happen(lane, history)),
          {
            seed: seed + index,
            numRuns: path === undefined ? Math.ceil(countOf(share) / lanes.length) : 1,
            ...(path !== undefined && { path, endOnFailure: true }),
            // So that a failure is told before the test's own time is over.
            interruptAfterTimeLimit: timeoutMs(share) * 0.9,
            markInterruptAsFailure: true,
          },
        ),
      ),
    );
  } finally {
    process.stdout.write(`${told(name, lanes, manners)}, seed ${seed}, ${Math.round(performance.now() - begun)} ms\n`);
    await close();
    await dialect.dovecot.stop();
  }
  const spoiled = lanes.reduce((sum, { tally }) => sum + tally.spoiled, 0);
  if (spoiled > MOST_SPOILED + countOf(share) / 20) throw new Error(`${spoiled} histories were spoiled by the server`);
  if (manners.breaches.size > 0) throw new Error(`never offered: ${[...manners.breaches].join('; ')}`);
}

function told(name: DialectName, lanes: readonly Lane[], manners: Manners): string {
  const sum = (pick: (lane: Lane) => number) => lanes.reduce((total, lane) => total + pick(lane), 0);
  const parts = [
    `${sum(({ tally }) => tally.histories)} histories`,
    `${sum(({ tally }) => tally.commands)} commands`,
    `${manners.commands} of IMAP`,
    `${sum(({ relay }) => relay.cuts)} connections broken`,
    `${sum(({ tally }) => tally.lostWrites)} writes and ${sum(({ tally }) => tally.lostReads)} reads lost`,
    `${sum(({ tally }) => tally.spoiled)} spoiled by the server`,
    `${sum(({ tally }) => tally.complete)} of ${sum(({ tally }) => tally.changes)} times changes were told`,
  ];
  return `${name}: ${parts.join(', ')}`;
}
