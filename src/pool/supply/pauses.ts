import { type AccountFilter, keyMatcher } from '../../runtime/account-key.js';

interface Pause {
  filter: AccountFilter;
  matches(key: string): boolean;
}

/** Which accounts are paused: they get no connection until they are resumed. */
export class Pauses {
  readonly #all = new Map<string, Pause>();

  add(filter: AccountFilter): void {
    const { tenant, server, user } = filter;
    this.#all.set(JSON.stringify([tenant, server, user]), {
      filter: { tenant, server, user },
      matches: keyMatcher(filter),
    });
  }

  /** Lifts the pauses whose filter equals the given one or is narrower. @returns number of pauses lifted */
  lift(within: AccountFilter): number {
    const before = this.#all.size;
    for (const [key, { filter }] of this.#all) if (isPartOf(filter, within)) this.#all.delete(key);
    return before - this.#all.size;
  }

  /** Whether an account is paused, by its key. */
  has(key: string): boolean {
    for (const { matches } of this.#all.values()) if (matches(key)) return true;
    return false;
  }

  get filters(): AccountFilter[] {
    return [...this.#all.values()].map(({ filter }) => filter);
  }
}

function isPartOf(filter: AccountFilter, whole: AccountFilter): boolean {
  return (['tenant', 'server', 'user'] as const).every(
    (name) => whole[name] === undefined || whole[name] === filter[name],
  );
}
