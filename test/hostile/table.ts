import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram } from '../cli/built.js';
import { HostileArena } from '../support/hostile-arena.js';
import type { HostileCase } from './case.js';
import { runCase } from './run-case.js';

/**
 * Generous, for machines that are busy with other tests, and beyond what the tests themselves stood still:
 * `npm run bench -- --only stalls` measures exactly.
 */
const LONGEST_WAIT_MS = 1000;
const MOST_GROWTH_BYTES = 256 * 1024 * 1024;
/** A case that goes wrong may use up the deadlines of all its requests. */
const CASE_MS = 120_000;

/** One test for each case, all against one broker for as long as that is unharmed. */
export function testTable(title: string, cases: readonly HostileCase[]): void {
  describe(`${title}: a hostile server harms nobody but its own user`, () => {
    let arena: HostileArena;
    let harmed = false;
    beforeAll(async () => {
      arena = await HostileArena.start(builtProgram(), new Map(cases.map(({ name, server }) => [name, server])));
    }, 60_000);
    afterAll(() => arena?.stop());

    for (const hostile of cases) {
      it(
        `${hostile.name}: ${hostile.about}`,
        async () => {
          if (harmed || !arena.running) await arena.renew();
          harmed = true;
          const { healthy, growthBytes, problems } = await runCase(arena, hostile);
          const within = healthy.longestMs - healthy.ownMs < LONGEST_WAIT_MS && growthBytes < MOST_GROWTH_BYTES;
          const growth = Math.round(growthBytes / 1024 / 1024);
          const seen = `The healthy user waited ${Math.round(healthy.longestMs)} ms at most, memory grew by ${growth} MB.`;
          expect({ problems, within }, seen).toEqual({ problems: [], within: true });
          harmed = false;
        },
        CASE_MS,
      );
    }
  });
}
