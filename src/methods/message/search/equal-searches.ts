import { deadlineError } from '../../../pool/account-errors.js';
import { BrokerError, type ErrorKind } from '../../../protocol/errors.js';

/** Equal searches that are under way at once; further ones wait, and share the next. */
const AT_ONCE = 2;
/** Milliseconds by which the deadlines of two requests may differ for one to take what the other had by its own. */
const ALIKE_MS = 1_000;
/** Errors that are about what was asked for: all who ask for the same get them. */
const shared = new Set<ErrorKind>(['INVALID_PARAMS', 'NOT_FOUND', 'TOO_LARGE', 'UNSUPPORTED']);

/** What a request waits with. */
export interface Waiting {
  signal: AbortSignal;
  /** `Date.now()` by which the request ends. */
  deadlineAt: number;
}

/** What a search came to. */
type Outcome<T> = { value: T; deadlineAt: number } | { error: unknown };

/** A search that has not begun: its answer will be newer than any request that joins. */
interface Next<T> {
  done: Promise<Outcome<T>>;
  settle(outcome: Outcome<T>): void;
}

interface Group<T> {
  running: number;
  next: Next<T> | undefined;
  /** Begins the next one. */
  free: (() => void) | undefined;
}

/**
 * Searches that take several jobs, by account and by what they ask for: however many ask for the same at once, two
 * searches at most are under way. Never more entries than requests.
 */
export class EqualSearches<T> {
  readonly #groups = new Map<string, Group<T>>();

  /**
   * Runs a search, or waits for an equal one that begins later than now. Where that one fails for a reason of its own
   * request, or is cut short by that request's deadline, it is run again.
   * @param isWhole whether a value is not cut short
   * @throws what the search throws; the reason of the signal; BrokerError DEADLINE
   */
  async run(
    key: string,
    waiting: Waiting,
    search: () => Promise<T>,
    isWhole: (value: T) => boolean,
  ): Promise<{ value: T; coalesced: boolean }> {
    for (;;) {
      const group = this.#groups.get(key) ?? { running: 0, next: undefined, free: undefined };
      this.#groups.set(key, group);
      if (!group.next) return { value: await this.#lead(key, group, waiting, search), coalesced: false };
      const outcome = await inTime(group.next.done, waiting);
      if ('value' in outcome) {
        const { value, deadlineAt } = outcome;
        if (isWhole(value) || deadlineAt >= waiting.deadlineAt - ALIKE_MS) return { value, coalesced: true };
      } else if (outcome.error instanceof BrokerError && shared.has(outcome.error.kind)) throw outcome.error;
    }
  }

  async #lead(key: string, group: Group<T>, waiting: Waiting, search: () => Promise<T>): Promise<T> {
    let next: Next<T> | undefined;
    let outcome: Outcome<T> = { error: undefined };
    try {
      if (group.running >= AT_ONCE) {
        next = nextOf<T>();
        group.next = next;
        const free = new Promise<void>((resolve) => {
          group.free = resolve;
        });
        await inTime(free, waiting).finally(() => {
          group.next = undefined;
          group.free = undefined;
        });
      }
      group.running += 1;
      try {
        const value = await search();
        outcome = { value, deadlineAt: waiting.deadlineAt };
        return value;
      } finally {
        group.running -= 1;
        group.free?.();
      }
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      if (group.running === 0 && !group.next && this.#groups.get(key) === group) this.#groups.delete(key);
      next?.settle(outcome);
    }
  }
}

function nextOf<T>(): Next<T> {
  let settle: Next<T>['settle'] = () => {};
  const done = new Promise<Outcome<T>>((resolve) => {
    settle = resolve;
  });
  return { done, settle };
}

/** @throws the reason of the signal; BrokerError DEADLINE */
async function inTime<T>(promise: Promise<T>, { signal, deadlineAt }: Waiting): Promise<T> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    timer = setTimeout(() => reject(deadlineError()), Math.max(0, Math.min(deadlineAt - Date.now(), 2 ** 31 - 1)));
  });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
