import fc from 'fast-check';
import { AnsweredError } from '../support/running-broker.js';
import { Manners } from '../support/unoffered.js';
import { type Command, type History, histories } from './commands.js';
import { keepEvidence } from './evidence.js';
import { type Lane, openLanes } from './lane.js';
import { read } from './reads.js';
import { type ServedName, startServed } from './served.js';
import { surprise } from './surprises.js';
import { World } from './world.js';
import { write } from './writes.js';

/** How histories happen on a server. */
interface Plan {
  runs: number;
  /** Histories at the same time; more only wait for each other. */
  lanes: number;
  /** Milliseconds that all of them may take, many times what they need. */
  timeoutMs: number;
  /** Whether a shorter history is looked for when one fails. */
  shrinks: boolean;
  /** Of so many commands of the broker there is one at which it forgets all that it knows of mail. */
  forgetsEach?: number;
}

/** Beside a twentieth: more would hide what the broker does wrong. */
const MOST_SPOILED = 5;

/** Dovecot waits so long for a lock of its own, while the other client waits; the broker answers within its deadlines. */
const LONGEST_LOCK_MS = 180_000;

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
    case 'forget':
      return world.lane.forget();
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
    case 'filtered':
    case 'get':
    case 'search':
    case 'threads':
    case 'status':
    case 'folders':
    case 'changes':
      await read(world, command);
      world.unsteady = false;
      return;
    case 'surprise':
      return surprise(world, command);
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

/** A share of `MODEL_RUNS` histories, by default of 2000, on Dovecot. */
export function onDovecot(share: number): Plan {
  const runs = Math.ceil(Number(process.env.MODEL_RUNS ?? 2000) * share);
  return { runs, lanes: 4, timeoutMs: LONGEST_LOCK_MS + runs * 150, shrinks: true };
}

/** `MODEL_SERVER_RUNS` histories, by default 32, on a server where some commands take seconds, in which it sleeps. */
export function onSlowServer(): Plan {
  const runs = Number(process.env.MODEL_SERVER_RUNS ?? 32);
  return { runs, lanes: 8, timeoutMs: 60_000 + runs * 2000, shrinks: false };
}

/**
 * Lets random histories happen on a server. `MODEL_SEED` and `MODEL_PATH`, as a failure names them, repeat that one.
 * @throws with the smallest history that fails, its seed and its path; or with the commands that the server never offered
 */
export async function hold(name: ServedName, plan: Plan): Promise<void> {
  const { MODEL_SEED, MODEL_PATH: path } = process.env;
  const seed = MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(MODEL_SEED);
  const begun = performance.now();
  const served = await startServed(name);
  const manners = new Manners(served.offered);
  let commands = 0;
  const onLine = (_line: string, forget: () => void) => {
    commands += 1;
    if (commands % (plan.forgetsEach ?? Number.POSITIVE_INFINITY) === 0) forget();
  };
  const { lanes, close } = await openLanes(served, path === undefined ? plan.lanes : 1, manners, onLine);
  try {
    await allDone(
      lanes.map((lane, index) =>
        fc.assert(
          fc.asyncProperty(histories, (history) => happen(lane, history)),
          {
            seed: seed + index,
            numRuns: path === undefined ? Math.ceil(plan.runs / lanes.length) : 1,
            endOnFailure: path !== undefined || !plan.shrinks,
            ...(path !== undefined && { path }),
            // So that a failure is told before the test's own time is over.
            interruptAfterTimeLimit: plan.timeoutMs * 0.9,
            markInterruptAsFailure: true,
          },
        ),
      ),
    );
  } finally {
    process.stdout.write(`${told(name, lanes, manners)}, seed ${seed}, ${Math.round(performance.now() - begun)} ms\n`);
    await close();
    await served.server.stop();
  }
  const spoiled = lanes.reduce((sum, { tally }) => sum + tally.spoiled, 0);
  if (spoiled > MOST_SPOILED + plan.runs / 20) throw new Error(`${spoiled} histories were spoiled by the server`);
  if (manners.breaches.size > 0) throw new Error(`never offered: ${[...manners.breaches].join('; ')}`);
}

function told(name: ServedName, lanes: readonly Lane[], manners: Manners): string {
  const sum = (pick: (lane: Lane) => number) => lanes.reduce((total, lane) => total + pick(lane), 0);
  const parts = [
    `${sum(({ tally }) => tally.histories)} histories`,
    `${sum(({ tally }) => tally.commands)} commands`,
    `${manners.commands} of IMAP`,
    `${sum(({ relay }) => relay.cuts)} connections broken`,
    `${sum(({ tally }) => tally.lostWrites)} writes and ${sum(({ tally }) => tally.lostReads)} reads lost`,
    `${sum(({ tally }) => tally.spoiled)} spoiled by the server`,
    `${sum(({ tally }) => tally.surprises)} changes while the broker idled`,
    `${sum(({ tally }) => tally.complete)} of ${sum(({ tally }) => tally.changes)} times changes were told`,
  ];
  return `${name}: ${parts.join(', ')}`;
}
