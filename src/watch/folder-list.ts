import { listMailboxes } from '../imap/mailboxes/mailbox-list.js';
import type { Job } from '../pool/job.js';
import { protocolLimits } from '../protocol/limits.js';
import type { AccountHandle, MailboxChange } from './types.js';

/** Most names in each list of an event. */
const MOST_NAMES = protocolLimits.eventFolders;
/** Most renames of this account that are remembered. */
const MOST_RENAMES = 100;
/** Milliseconds that a rename is remembered: a look under way may not show it, nor one that waits for a connection. */
const RENAME_MS = 120_000;

interface Listed {
  subscribed: boolean;
  delimiter: string | null;
}

/** The folders of an account, compared with those of the last look. */
export class FolderList {
  readonly #account: AccountHandle;
  readonly #tell: (change: MailboxChange) => void;
  /** By name; undefined before the first look. */
  #listed: Map<string, Listed> | undefined;
  #renames: { from: string; to: string; at: number }[] = [];
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(account: AccountHandle, tell: (change: MailboxChange) => void) {
    this.#account = account;
    this.#tell = tell;
  }

  /** This account is about to rename a folder, with those below it. */
  renames(from: string, to: string): void {
    this.#renames = [...this.#renames, { from, to, at: performance.now() }].slice(-MOST_RENAMES);
  }

  /**
   * Lists the folders and tells what has changed. A look under way is followed by another, for it may be older.
   * @throws BrokerError what the account throws; the next look tells what this one missed
   */
  async look(job: Pick<Job, 'signal' | 'deadlineAt'>): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#repeat(job);
    try {
      await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #repeat(job: Pick<Job, 'signal' | 'deadlineAt'>): Promise<void> {
    do {
      this.#again = false;
      const listed = await this.#account.run({ label: 'watch', effect: 'read', lane: 'bulk', ...job }, (connection) =>
        listMailboxes(connection, { counts: false, ghosts: true }),
      );
      const now = new Map(listed.map(({ name, subscribed, delimiter }) => [name, { subscribed, delimiter }]));
      for (const { name, attributes } of listed) if (attributes.has('\\nonexistent')) now.delete(name);
      this.#compare(now);
    } while (this.#again);
  }

  #compare(now: Map<string, Listed>): void {
    const before = this.#listed;
    this.#listed = now;
    this.#renames = this.#renames.filter(({ at }) => performance.now() - at < RENAME_MS);
    if (!before) return;
    const created = new Set([...now.keys()].filter((name) => !before.has(name)));
    const deleted = new Set([...before.keys()].filter((name) => !now.has(name)));
    const renamed: { from: string; to: string }[] = [];
    for (const rename of this.#renames) {
      for (const from of [...deleted]) {
        const rest = from.slice(rename.from.length);
        const below = rest === '' || rest.charAt(0) === before.get(from)?.delimiter;
        const to = `${rename.to}${rest}`;
        if (!from.startsWith(rename.from) || !below || !created.has(to)) continue;
        renamed.push({ from, to });
        created.delete(to);
        deleted.delete(from);
      }
    }
    const sources = new Map(renamed.map(({ from, to }) => [to, from]));
    const was = (name: string) => before.get(sources.get(name) ?? name)?.subscribed === true;
    const subscribed = [...now].filter(([name, one]) => one.subscribed && !was(name)).map(([name]) => name);
    const unsubscribed = [...now].filter(([name, one]) => !one.subscribed && was(name)).map(([name]) => name);
    const lists = { created: [...created], deleted: [...deleted], renamed, subscribed, unsubscribed };
    const all = Object.values(lists);
    if (all.every(({ length }) => length === 0)) return;
    this.#tell({
      type: 'folders',
      created: lists.created.slice(0, MOST_NAMES),
      deleted: lists.deleted.slice(0, MOST_NAMES),
      renamed: renamed.slice(0, MOST_NAMES),
      subscribed: subscribed.slice(0, MOST_NAMES),
      unsubscribed: unsubscribed.slice(0, MOST_NAMES),
      ...(all.some(({ length }) => length > MOST_NAMES) ? { more: true as const } : {}),
    });
  }
}
