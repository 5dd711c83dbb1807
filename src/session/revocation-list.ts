import { byClock, type Entry, isWide, merged, revocationKey } from './revocation-entry.js';
import type { Session } from './session.js';

/** What tells whether a session was ended. */
export type Endable = Pick<Session, 'id' | 'tenant' | 'user' | 'openedAt' | 'endsAt' | 'line' | 'generation'>;

/** Entries in memory, in the order in which they were made. */
export class RevocationList {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly #entries = new Map<string, Entry>();
  /** Entries for users and tenants. Each request asks for its session, and mostly there are none of them to look for. */
  #wide = 0;
  #forgotten: Entry | undefined;

  constructor() {
    this.entries = this.#entries;
  }

  /** Stands for entries that were dropped because their sessions had ended by the clock. */
  get forgotten(): Entry | undefined {
    return this.#forgotten;
  }

  /** @param line in which the generations of the entries count */
  has(session: Endable, line: string): boolean {
    const { id, tenant, user, endsAt } = session;
    if (this.#entries.has(revocationKey({ id }))) return true;
    const ends = (found: Entry | undefined) => found !== undefined && isUntil(session, found, line);
    if (this.#forgotten && endsAt <= this.#forgotten.until && ends(this.#forgotten)) return true;
    if (this.#wide === 0) return false;
    return [{ tenant, user }, { tenant }].some(
      (whose) =>
        ends(this.#entries.get(revocationKey(whose))) ||
        ends(this.#entries.get(revocationKey({ ...whose, foreign: true }))),
    );
  }

  /** Puts an entry last. @returns its key */
  put(added: Entry): string {
    const key = revocationKey(added);
    const known = this.#entries.get(key);
    this.drop(key);
    this.replace(key, merged(known, added));
    return key;
  }

  replace(key: string, entry: Entry): void {
    if (isWide(key) && !this.#entries.has(key)) this.#wide += 1;
    this.#entries.set(key, entry);
  }

  drop(key: string): void {
    if (this.#entries.delete(key) && isWide(key)) this.#wide -= 1;
  }

  /** What entries stand for that another process has dropped. */
  forget(forgotten: Entry): void {
    this.#forgotten = merged(this.#forgotten, forgotten);
  }

  /** Entries, by key, of which an entry for their whole tenant, which was made after them, tells all that they do. */
  coveredByTenants(): Map<string, Entry> {
    const tenants = new Map<string, Entry>();
    const covered = new Map<string, Entry>();
    for (const [key, entry] of [...this.#entries].reverse()) {
      const { id, tenant = '', user, foreign, until } = entry;
      const whole = tenants.get(tenant);
      if (id !== undefined || user !== undefined) {
        if (whole && until <= whole.until) covered.set(key, whole);
      } else if (!foreign) tenants.set(tenant, entry);
    }
    return covered;
  }

  /** Drops all entries but those of whole tenants. @returns the tenants, and until when their entries were to last */
  dropNarrow(): Map<string, number> {
    const tenants = new Map<string, number>();
    for (const [key, { id, tenant = '', user, until }] of this.#entries) {
      if (id === undefined && user === undefined) continue;
      tenants.set(tenant, Math.max(until, tenants.get(tenant) ?? 0));
      this.drop(key);
    }
    return tenants;
  }

  /**
   * Drops entries whose sessions have ended by the clock; these stay ended when the clock is set back.
   * @param generation that no session has which is opened from now on
   * @returns whether there were any
   */
  dropEnded(generation: number): boolean {
    const now = Date.now();
    const before = this.#entries.size;
    for (const [key, { until }] of this.#entries) {
      if (until > now) continue;
      this.drop(key);
      this.forget({ generation, at: now, until });
    }
    return this.#entries.size < before;
  }

  /** Generations count in another line from now on: only the clocks tell what was before an entry. @returns the new keys */
  compareByClock(): string[] {
    if (this.#forgotten) {
      const { generation: _, ...forgotten } = this.#forgotten;
      this.#forgotten = forgotten;
    }
    const counted = [...this.#entries].filter(([, { id, generation }]) => id === undefined && generation !== undefined);
    return counted.map(([key, entry]) => {
      this.drop(key);
      return this.put(byClock(entry));
    });
  }
}

/** Whether a session was opened before an entry was made. */
function isUntil({ line, generation, openedAt }: Endable, until: Entry, ownLine: string): boolean {
  if (until.foreign || line !== ownLine) return openedAt <= until.at;
  return until.generation !== undefined && generation <= until.generation;
}
