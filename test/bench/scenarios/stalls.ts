import { fileURLToPath } from 'node:url';
import type { HostileCase } from '../../hostile/case.js';
import { hostileCases } from '../../hostile/cases/all.js';
import { list } from '../../hostile/cases/checks.js';
import { runCase } from '../../hostile/run-case.js';
import { HostileArena } from '../../support/hostile-arena.js';
import type { Ending } from '../ending.js';
import { inAnotherThread } from '../healthy-thread.js';
import { atMost, milliseconds, type Section } from '../report.js';
import type { Stage } from '../stage.js';

const MOST_WAIT_MS = 100;
const MOST_GROWTH_MB = 64;
/** The compiled broker, seen from this file below dist. */
const program = fileURLToPath(new URL('../../../bin/imap-broker.js', import.meta.url));
/** What the others are compared with. */
const healthy: HostileCase = { name: 'healthy-server', about: 'a healthy server', server: {}, steps: [list, list] };

interface Stall {
  group: string;
  about: string;
  longestMs: number;
  ownMs: number;
  growthMb: number;
  problems: string[];
}

/**
 * A healthy user beside one user of a hostile server, or of a great mailbox; each time with a new broker. Quick: one
 * case of each kind.
 */
export async function stalls({ quick }: Stage, ending: Ending): Promise<Section> {
  const found: Stall[] = [];
  for (const [group, cases] of Object.entries({ healthy: [healthy], ...hostileCases })) {
    for (const hostile of quick ? cases.slice(0, 1) : cases) {
      const stall = await ending.scope((inner) => measured(group, hostile, inner));
      process.stdout.write(`${hostile.name}: ${milliseconds(stall.longestMs)}, ${stall.growthMb} MB\n`);
      found.push(stall);
    }
  }
  return section(found);
}

async function measured(group: string, hostile: HostileCase, ending: Ending): Promise<Stall> {
  const arena = await HostileArena.start(program, new Map([[hostile.name, hostile.server]]), inAnotherThread);
  ending.later(() => arena.stop());
  const { healthy, growthBytes, problems } = await runCase(arena, hostile);
  const growthMb = Math.max(0, Math.round(growthBytes / 1024 / 1024));
  return { group, about: hostile.about, longestMs: healthy.longestMs, ownMs: healthy.ownMs, growthMb, problems };
}

function section(found: readonly Stall[]): Section {
  const worst = (of: 'longestMs' | 'growthMb') => Math.max(...found.map((stall) => stall[of]));
  const within = ({ longestMs, growthMb }: Stall) => longestMs <= MOST_WAIT_MS && growthMb <= MOST_GROWTH_MB;
  return {
    title: 'Hostile servers and great mailboxes',
    text: `A healthy user asks for the counts of a folder every few milliseconds, while a user of another server meets what stands
in the first column. Longest wait: of the healthy user's requests, the slowest; of the bench: for how long
the thread that asks for the healthy user stood still itself at most. The hostile server has a thread of its own. Memory: by how much the broker's resident memory
grew at most. Answers: whether each request of the other user ended as it should. Each case has a new broker.`,
    table: [
      ['beside', 'kind', 'longest wait', 'of the bench', 'memory', 'within bounds', 'answers'],
      ...found.map((stall) => [
        stall.about,
        stall.group,
        milliseconds(stall.longestMs),
        milliseconds(stall.ownMs),
        `${stall.growthMb} MB`,
        within(stall) ? 'yes' : 'no',
        stall.problems.length === 0 ? 'right' : 'wrong',
      ]),
    ],
    data: found,
    targets: [
      atMost('longest wait beside any of these', worst('longestMs'), MOST_WAIT_MS, ' ms'),
      atMost('growth of memory beside any of these', worst('growthMb'), MOST_GROWTH_MB, ' MB'),
    ],
  };
}
