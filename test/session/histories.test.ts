import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Endable } from '../../src/session/revocation-list.js';
import { Revocations } from '../../src/session/revocations.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MAX_AGE = 7 * DAY;
const BROKERS = 3;
/** Brokers read the file where the history says so, and when they need to. */
const LOOK_MS = 2 ** 30;
/** Entries that no history makes. */
const ROOM = 1_000;

type Command =
  | { do: 'open' | 'user'; by: number; tenant: string; user: string }
  | { do: 'tenant'; by: number; tenant: string }
  | { do: 'close'; by: number; session: number }
  | { do: 'look' | 'delete' | 'restart'; by: number; compacting: boolean }
  | { do: 'clock'; hours: number }
  | { do: 'half' };

const by = fc.nat(BROKERS - 1);
const tenant = fc.constantFrom('shop', 'office');
const user = fc.constantFrom('anna', 'ben');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('open' as const), by, tenant, user }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('user' as const), by, tenant, user }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tenant' as const), by, tenant }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('close' as const), by, session: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('look' as const, 'restart' as const, 'delete' as const),
      by,
      compacting: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), hours: fc.integer({ min: -30, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('half' as const) }) },
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-ends-'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** Brokers with one list, and what is known of each session without it. */
class Host {
  readonly #path: string;
  readonly #sessions: { session: Endable; ended: boolean }[] = [];
  readonly #brokers: Revocations[];

  readonly #most: number;

  /** @param most entries that the list has room for */
  constructor(path: string, most: number) {
    this.#path = path;
    this.#most = most;
    this.#brokers = Array.from({ length: BROKERS }, () => this.#start(false));
  }

  #start(compacting: boolean): Revocations {
    const spareLines = compacting ? -1_000 : 1_000;
    return new Revocations(this.#path, { lookMs: LOOK_MS, spareLines, most: this.#most });
  }

  #broker(index: number): Revocations {
    return this.#brokers[index] as Revocations;
  }

  happen(one: Command): void {
    if (one.do === 'half') appendFileSync(this.#path, '{"id":"hal');
    else if (one.do === 'clock') vi.setSystemTime(Date.now() + one.hours * HOUR);
    else if (one.do === 'open') this.#open(one);
    else if (one.do === 'user') {
      expect(this.#broker(one.by).user(one.tenant, one.user, MAX_AGE)).toBe(true);
      this.#end(({ tenant, user }) => tenant === one.tenant && user === one.user);
    } else if (one.do === 'tenant') {
      expect(this.#broker(one.by).tenant(one.tenant, MAX_AGE)).toBe(true);
      this.#end(({ tenant }) => tenant === one.tenant);
    } else if (one.do === 'close') {
      const { session } = this.#sessions[one.session] ?? {};
      if (!session) return;
      expect(this.#broker(one.by).session(session)).toBe(true);
      this.#end(({ id }) => id === session.id);
    } else {
      if (one.do === 'delete') this.#delete();
      if (one.do === 'restart') {
        this.#broker(one.by).close();
        this.#brokers[one.by] = this.#start(one.compacting);
      }
      this.#broker(one.by).catchUp();
      this.#isRight(this.#broker(one.by));
    }
  }

  /** What a broker knows is in the file again when all have looked at it. */
  #delete(): void {
    rmSync(this.#path);
    for (const broker of [...this.#brokers, ...this.#brokers]) broker.catchUp();
  }

  #open({ by: index, tenant, user }: { by: number; tenant: string; user: string }): void {
    const openedAt = Date.now();
    const id = `session-${this.#sessions.length}`;
    const opened = { id, tenant, user, openedAt, endsAt: openedAt + MAX_AGE, ...this.#broker(index).opening() };
    this.#sessions.push({ session: opened, ended: false });
  }

  #end(concerned: (session: Endable) => boolean): void {
    for (const one of this.#sessions) one.ended ||= concerned(one.session);
  }

  #isRight(broker: Revocations): void {
    for (const { session, ended } of this.#sessions) {
      // Where there is no room, more sessions end than were ended.
      if (this.#most === ROOM || ended)
        expect({ ...session, ended: broker.has(session) }).toEqual({ ...session, ended });
    }
  }

  /** Every broker, and one that is started now, says of each session what is true. */
  isRight(): void {
    for (const broker of this.#brokers) {
      broker.catchUp();
      this.#isRight(broker);
    }
    this.stop();
    this.#brokers.push(this.#start(true));
    this.#isRight(this.#broker(BROKERS));
    this.stop();
  }

  stop(): void {
    for (const broker of this.#brokers) broker.close();
  }
}

it.each([
  ['are ended at all of them or at none', ROOM],
  ['stay ended at all of them where the list has no room for each', 3],
])(
  'sessions that are opened, revoked and closed at several brokers of one host %s',
  (_what, most) => {
    const { MODEL_SEED, MODEL_PATH: path } = process.env;
    const seed = MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(MODEL_SEED);
    let histories = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        vi.setSystemTime(Date.UTC(2026, 0, 1));
        histories += 1;
        const host = new Host(join(folder, `${histories}.jsonl`), most);
        try {
          for (const one of commands) host.happen(one);
          host.isRight();
        } finally {
          host.stop();
        }
      }),
      {
        seed,
        numRuns: Math.ceil(Number(process.env.MODEL_RUNS ?? 2_000) / 20),
        ...(path === undefined ? {} : { path }),
      },
    );
  },
  600_000,
);
