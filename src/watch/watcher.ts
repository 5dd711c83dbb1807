import { statusOf } from '../imap/mailbox-status.js';
import type { StatusCounts } from '../protocol/models.js';
import type { AccountHandle, MailboxChange, StartWatcher, WatchedMailbox, Watcher } from './types.js';

const POLL_MS = 30_000;
/** Milliseconds that a poll may take. */
const JOB_MS = 30_000;

/** Watches the counts of an account's folders by asking for them. */
export const startWatcher: StartWatcher = (account, tell) => new PollingWatcher(account, tell);

type Counts = ReadonlyMap<string, StatusCounts | null>;

class PollingWatcher implements Watcher {
  readonly #account: AccountHandle;
  readonly #tell: (change: MailboxChange) => void;
  readonly #end = new AbortController();
  /** Counts as they were told last; null for a folder that is missing. */
  #known: Counts = new Map();
  #mailboxes: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(account: AccountHandle, tell: (change: MailboxChange) => void) {
    this.#account = account;
    this.#tell = tell;
  }

  async watch(mailboxes: readonly string[], signal: AbortSignal): Promise<Map<string, WatchedMailbox | null>> {
    const counts = await this.#ask(mailboxes, signal);
    this.#mailboxes = mailboxes;
    this.#compare(counts);
    this.#schedule();
    return new Map([...counts].map(([name, found]) => [name, found && watched(found)]));
  }

  close(): void {
    this.#end.abort(new Error('The watch has ended.'));
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (!this.#end.signal.aborted) this.#timer = setTimeout(() => void this.#poll(), POLL_MS).unref();
  }

  async #poll(): Promise<void> {
    const mailboxes = this.#mailboxes;
    try {
      const counts = await this.#ask(mailboxes, this.#end.signal);
      // Another call of watch() has asked since, and knows better.
      if (mailboxes !== this.#mailboxes) return;
      this.#compare(counts);
    } catch {
      // Whoever asks for the mail itself is told what is wrong; here the next poll tells what changed meanwhile.
    }
    this.#schedule();
  }

  #ask(mailboxes: readonly string[], signal: AbortSignal): Promise<Map<string, StatusCounts | null>> {
    const job = {
      label: 'watch',
      effect: 'read' as const,
      signal: AbortSignal.any([signal, this.#end.signal]),
      deadlineAt: Date.now() + JOB_MS,
    };
    return this.#account.run(job, (connection) => statusOf(connection, mailboxes));
  }

  #compare(counts: Counts): void {
    const before = this.#known;
    this.#known = counts;
    if (this.#end.signal.aborted) return;
    for (const [mailbox, now] of counts) {
      const known = before.get(mailbox);
      if (known === undefined || JSON.stringify(known) === JSON.stringify(now)) continue;
      if (now && known && now.uidValidity === known.uidValidity) this.#tell({ type: 'counts', mailbox, counts: now });
      else this.#tell({ type: 'reset', mailbox, ...(now ? { uidValidity: now.uidValidity } : {}) });
    }
  }
}

function watched({ uidValidity }: StatusCounts): WatchedMailbox {
  return { uidValidity, lagMs: POLL_MS + JOB_MS, state: null };
}
