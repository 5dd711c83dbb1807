import fc from 'fast-check';
import type { DialectName } from '../support/dialects.js';
import { startDialect } from '../support/dialects.js';
import { Manners } from '../support/unoffered.js';
import { type Command, type History, histories } from './commands.js';
import { type Lane, openLanes } from './lane.js';
import { read } from './reads.js';
import { World } from './world.js';
import { write } from './writes.js';

/** Histories at the same time; more only wait for each other. */
const LANES = 4;
const DEFAULT_RUNS = 2000;

/** Lets one history happen. */
export async function happen(lane: Lane, { start, commands }: History): Promise<void> {
  const world = await World.make(lane, start);
  try {
    for (const command of commands) await run(world, command);
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
      const reading = command.reads.map((one) => read(world, one));
      if (command.cut) cut(world);
      const failed = (await Promise.allSettled(reading)).find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      return;
    }
    case 'list':
    case 'next':
    case 'get':
    case 'search':
    case 'status':
    case 'folders':
    case 'changes':
      return read(world, command);
    default:
      return write(world, command);
  }
}

function cut(world: World): void {
  world.lane.relay.cut();
}

/**
 * Lets random histories happen on servers of a dialect, a share of `MODEL_RUNS` of them. `MODEL_SEED` and `MODEL_PATH`,
 * as a failure names them, repeat that one.
 * @throws with the smallest history that fails, its seed and its path; or with the commands that the server never offered
 */
export async function hold(name: DialectName, share: number, timeoutMs: number): Promise<void> {
  const { MODEL_RUNS = DEFAULT_RUNS, MODEL_SEED, MODEL_PATH } = process.env;
  const count = Math.ceil(Number(MODEL_RUNS) * share);
  const seed = MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(MODEL_SEED);
  const begun = performance.now();
  const dialect = await startDialect(name);
  const manners = new Manners(dialect.offered);
  const { lanes, close } = await openLanes(dialect, MODEL_PATH === undefined ? LANES : 1, manners);
  try {
    await Promise.all(
      lanes.map((lane, index) =>
        fc.assert(
          fc.asyncProperty(histories, (history) => happen(lane, history)),
          {
            seed: seed + index,
            numRuns: Math.ceil(count / lanes.length),
            ...(MODEL_PATH !== undefined && { path: MODEL_PATH }),
            // So that a failure is told before the test's own time is over.
            interruptAfterTimeLimit: timeoutMs * 0.9,
            markInterruptAsFailure: true,
          },
        ),
      ),
    );
  } finally {
    const sum = (pick: (lane: Lane) => number) => lanes.reduce((total, lane) => total + pick(lane), 0);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(
      `model, ${name}: ${count} histories, ${sum(({ tally }) => tally.commands)} commands, ` +
        `${manners.commands} of IMAP, ${sum(({ relay }) => relay.cuts)} cuts, seed ${seed}, ${seconds} s\n`,
    );
    await close();
    await dialect.dovecot.stop();
  }
  if (manners.breaches.size > 0) throw new Error(`never offered: ${[...manners.breaches].join('; ')}`);
}
