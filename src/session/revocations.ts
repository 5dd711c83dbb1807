import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { Session } from './session.js';

/** Sessions issued before `at` are void: one by its id, those of a user, or those of a tenant. */
const entry = z.strictObject({
  id: z.string().optional(),
  tenant: z.string().optional(),
  user: z.string().optional(),
  at: z.number(),
  /** When every session that it concerns has ended anyway. */
  until: z.number(),
});
type Entry = z.infer<typeof entry>;

/** Entries that are kept; above it those of single sessions give way to one for their whole tenant. */
const MOST = 100_000;

/** Which sessions were ended before their time. With a file the list lasts over restarts. */
export class Revocations {
  readonly #path: string | undefined;
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  /** Lines in the file, of which some may be out of date. */
  #lines = 0;

  /**
   * @param path of the file; without it the list ends with the process
   * @param most entries that are kept
   */
  constructor(path?: string, most = MOST) {
    this.#path = path;
    this.#most = most;
    if (path !== undefined) this.#load(path);
  }

  has({ id, tenant, user, issuedAt }: Session): boolean {
    for (const key of [keyOf({ id }), keyOf({ tenant, user }), keyOf({ tenant })]) {
      const found = this.#entries.get(key);
      if (found && issuedAt <= found.at) return true;
    }
    return false;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Ends one session, in every token that renewed it. */
  session({ id, tenant, endsAt }: Pick<Session, 'id' | 'tenant' | 'endsAt'>): void {
    this.#add({ id, tenant, at: Number.MAX_SAFE_INTEGER, until: endsAt });
  }

  /** Ends all sessions of a user that were opened until now. */
  user(tenant: string, user: string, longestMs: number): void {
    this.#add({ tenant, user, at: Date.now(), until: Date.now() + longestMs });
  }

  /** Ends all sessions of a tenant that were opened until now. */
  tenant(tenant: string, longestMs: number): void {
    this.#add({ tenant, at: Date.now(), until: Date.now() + longestMs });
  }

  #add(added: Entry): void {
    this.#entries.set(keyOf(added), added);
    if (this.#entries.size > this.#most) this.#shrink();
    if (this.#path === undefined) return;
    if (this.#lines > 2 * this.#entries.size + 1000) this.#rewrite(this.#path);
    else this.#append(this.#path, [added]);
  }

  /** Rather too many sessions end than one that was revoked goes on. */
  #shrink(): void {
    this.#forgetEnded();
    if (this.#entries.size <= this.#most) return;
    const single = [...this.#entries.values()].filter(({ id }) => id !== undefined);
    for (const { tenant = '', until } of single) {
      const known = this.#entries.get(keyOf({ tenant }));
      const whole = { tenant, at: Date.now(), until: Math.max(until, known?.until ?? 0) };
      this.#entries.set(keyOf(whole), whole);
    }
    for (const one of single) this.#entries.delete(keyOf(one));
    if (this.#path !== undefined) this.#rewrite(this.#path);
  }

  #forgetEnded(): void {
    const now = Date.now();
    for (const [key, { until }] of this.#entries) if (until <= now) this.#entries.delete(key);
  }

  #load(path: string): void {
    let text = '';
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    for (const line of text.split('\n')) {
      // A crash may have cut the last line off: what it said was never answered.
      const parsed = line === '' ? undefined : entry.safeParse(jsonOf(line)).data;
      if (parsed) this.#entries.set(keyOf(parsed), parsed);
    }
    this.#forgetEnded();
    this.#rewrite(path);
  }

  #append(path: string, entries: readonly Entry[]): void {
    const file = openSync(path, 'a', 0o600);
    try {
      writeSync(file, entries.map((one) => `${JSON.stringify(one)}\n`).join(''));
      // Whoever logged out may rely on it when the answer comes.
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#lines += entries.length;
  }

  #rewrite(path: string): void {
    const beside = `${path}.new`;
    writeFileSync(beside, [...this.#entries.values()].map((one) => `${JSON.stringify(one)}\n`).join(''), {
      mode: 0o600,
    });
    renameSync(beside, path);
    this.#lines = this.#entries.size;
  }
}

function keyOf({
  id,
  tenant,
  user,
}: {
  id?: string | undefined;
  tenant?: string | undefined;
  user?: string | undefined;
}) {
  return id === undefined ? JSON.stringify([tenant, user ?? null]) : id;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
