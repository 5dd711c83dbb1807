import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { RevocationFile } from './revocation-file.js';
import type { Session } from './session.js';

/**
 * Sessions that are void: one by its id, or those of a user or tenant that were opened before the entry was made. What
 * was before is decided by a generation, which grows with each revocation, for clocks may be set back and ahead. Only
 * sessions that count in another line, which brokers with the same keys have opened, are compared by their clocks.
 */
const entry = z.strictObject({
  id: z.string().optional(),
  tenant: z.string().optional(),
  user: z.string().optional(),
  /** Missing in files of version 0.1.0, whose sessions have no generation either, and in entries of other brokers. */
  generation: z.number().optional(),
  /** Another broker has made the entry: what was before is decided by the clocks of both. */
  foreign: z.boolean().optional(),
  at: z.number(),
  /** When every session that the entry concerns has ended anyway. */
  until: z.number(),
});
type Entry = z.infer<typeof entry>;

/** The first line of the file. */
const header = z.strictObject({
  line: z.string().min(1),
  generation: z.number(),
  /** Entries were forgotten, because the sessions that they concern, which end until then, had ended. */
  forgotten: entry.optional(),
});

/** A session that was ended, or all sessions of a user or tenant that were opened until `at` (milliseconds since 1970). */
export interface Ended {
  id?: string | undefined;
  tenant: string;
  user?: string | undefined;
  at: number;
  /** When every session that it concerns has ended anyway. */
  until: number;
}

export interface RevocationsOptions {
  /** Most entries that are kept; above that, entries are replaced by one for their whole tenant. */
  most?: number;
  /** Called with an error when the file can no longer be written, and without one when it can again. */
  onTrouble?: (error: unknown) => void;
}

const MOST = 100_000;
/** Generations that a start skips: a broker that could not write its file may have counted on. */
const SKIPPED = 1_000_000;
/** Milliseconds that a revocation lasts at least: another configuration may have let sessions live longer than today's. */
const LASTS_MS = 366 * 24 * 3_600_000;

/** Which sessions were ended before their time. With a file the list lasts over restarts. */
export class Revocations {
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  readonly #file: RevocationFile | undefined;
  #line = randomBytes(9).toString('base64url');
  #generation = 0;
  #forgotten: Entry | undefined;

  /**
   * @param path of the file; without it the list ends with the process
   * @throws when there is a file that cannot be read
   */
  constructor(path?: string, { most = MOST, onTrouble = () => {} }: RevocationsOptions = {}) {
    this.#most = most;
    if (path === undefined) return;
    this.#file = new RevocationFile(path, () => this.#lines(), onTrouble);
    this.#load(this.#file.read());
    this.#file.rewrite();
  }

  /** The line and generation of a session that is opened now. */
  get now(): Pick<Session, 'line' | 'generation'> {
    return { line: this.#line, generation: this.#generation };
  }

  has(session: Session): boolean {
    const { id, tenant, user, endsAt } = session;
    if (this.#entries.has(revocationKey({ id }))) return true;
    const ends = (found: Entry | undefined) => found !== undefined && this.#isUntil(session, found);
    if (this.#forgotten && endsAt <= this.#forgotten.until && ends(this.#forgotten)) return true;
    return [{ tenant, user }, { tenant }].some(
      (whose) =>
        ends(this.#entries.get(revocationKey(whose))) ||
        ends(this.#entries.get(revocationKey({ ...whose, foreign: true }))),
    );
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Ends one session, in every token that renewed it. @returns whether that lasts over a restart */
  session({ id, tenant, endsAt }: Pick<Session, 'id' | 'tenant' | 'endsAt'>): boolean {
    return this.#add({ id, tenant, at: Date.now(), until: endsAt });
  }

  /** Ends all sessions of a user that were opened until now. @returns whether that lasts over a restart */
  user(tenant: string, user: string, longestMs: number): boolean {
    return this.#add({ tenant, user, ...this.#untilNow(longestMs) });
  }

  /** Ends all sessions of a tenant that were opened until now. @returns whether that lasts over a restart */
  tenant(tenant: string, longestMs: number): boolean {
    return this.#add({ tenant, ...this.#untilNow(longestMs) });
  }

  /** Takes over what another broker has ended: a session, or those of a user or tenant that were opened until then. */
  learn({ id, tenant, user, at, until }: Ended): void {
    const learnt: Entry = id === undefined ? { tenant, user, at, until, foreign: true } : { id, tenant, at, until };
    const known = this.#entries.get(revocationKey(learnt));
    if (known && (id !== undefined || known.at >= at)) return;
    this.#add(learnt);
  }

  /** Tries a last time to write what could not be written so far. */
  close(): void {
    this.#file?.close();
  }

  /** Whether a session was opened before an entry was made. */
  #isUntil({ line, generation, openedAt }: Session, { generation: until, at, foreign }: Entry): boolean {
    if (foreign || line !== this.#line) return openedAt <= at;
    return until !== undefined && generation <= until;
  }

  #untilNow(longestMs: number): Pick<Entry, 'generation' | 'at' | 'until'> {
    const generation = this.#generation;
    this.#generation += 1;
    return { generation, at: Date.now(), until: Date.now() + Math.max(LASTS_MS, longestMs) };
  }

  #add(added: Entry): boolean {
    this.#entries.set(revocationKey(added), added);
    if (this.#entries.size > this.#most && this.#shrink()) return this.#file?.rewrite() ?? false;
    return this.#file?.append(JSON.stringify(added), this.#entries.size) ?? false;
  }

  /** Makes room: rather too many sessions end than one that was revoked goes on. @returns whether entries have gone */
  #shrink(): boolean {
    this.#forgetEnded();
    if (this.#entries.size <= this.#most) return true;
    const narrow = [...this.#entries.values()].filter(({ id, user }) => id !== undefined || user !== undefined);
    for (const { tenant = '', until } of narrow) {
      const known = this.#entries.get(revocationKey({ tenant }));
      const { generation, at } = this.#untilNow(0);
      const whole = { tenant, generation, at, until: Math.max(until, known?.until ?? 0) };
      this.#entries.set(revocationKey(whole), whole);
    }
    for (const one of narrow) this.#entries.delete(revocationKey(one));
    return narrow.length > 0;
  }

  /** Drops entries whose sessions have ended by the clock; these stay ended when the clock is set back. */
  #forgetEnded(): void {
    const now = Date.now();
    const ended = [...this.#entries].filter(([, { until }]) => until <= now);
    for (const [key, { until }] of ended) {
      this.#entries.delete(key);
      this.#forgotten = {
        generation: this.#generation,
        at: now,
        until: Math.max(until, this.#forgotten?.until ?? 0),
      };
    }
    if (ended.length > 0) this.#generation += 1;
  }

  #load(lines: readonly string[]): void {
    for (const line of lines) {
      const known = header.safeParse(parseLine(line)).data;
      if (known) {
        this.#line = known.line;
        this.#generation = known.generation;
        this.#forgotten = known.forgotten;
      }
      // A crash may have cut the last line short: that revocation was never answered.
      const parsed = entry.safeParse(parseLine(line)).data;
      if (parsed) this.#entries.set(revocationKey(parsed), parsed);
      // The generations of entries that were appended since the first line was written.
      this.#generation = Math.max(this.#generation, parsed?.generation ?? 0);
    }
    this.#generation += SKIPPED;
    this.#forgetEnded();
  }

  #lines(): string[] {
    const first: z.infer<typeof header> = { line: this.#line, generation: this.#generation };
    if (this.#forgotten) first.forgotten = this.#forgotten;
    return [first, ...this.#entries.values()].map((one) => JSON.stringify(one));
  }
}

function revocationKey({
  id,
  tenant,
  user,
  foreign,
}: {
  id?: string | undefined;
  tenant?: string | undefined;
  user?: string | undefined;
  foreign?: boolean | undefined;
}) {
  if (id !== undefined) return id;
  return JSON.stringify(foreign ? [tenant, user ?? null, 'foreign'] : [tenant, user ?? null]);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
