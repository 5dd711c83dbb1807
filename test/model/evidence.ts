import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { History } from './commands.js';
import type { Lane } from './lane.js';

/** The first failures of a lane; those behind them are of the search for a shorter history. */
const MOST = 3;

/**
 * Keeps what was said on the wire when a history failed, where `MODEL_WIRE` names a folder for it: what depends on timing
 * may not happen again.
 */
export function keepEvidence(lane: Lane, history: History, failure: unknown): void {
  const { MODEL_WIRE: folder } = process.env;
  lane.tally.failures += 1;
  if (folder === undefined || lane.tally.failures > MOST) return;
  const { message = '', actual, expected } = failure as { message?: string; actual?: unknown; expected?: unknown };
  const parts = [history, message, { actual, expected }].map((part) => JSON.stringify(part));
  const text = [`failed at ${performance.now().toFixed(1)}`, ...parts, ...lane.relay.said].join('\n\n');
  writeFileSync(join(folder, `${lane.user}-${lane.tally.failures}.txt`), text);
}
