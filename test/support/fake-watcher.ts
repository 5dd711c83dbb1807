import type { Field } from '../../src/protocol/rows.js';
import type { MailboxChange, StartWatcher, Tell, WatchedMailbox, Watcher } from '../../src/watch/types.js';

/** A watcher without a server: a test says what it finds and what changes. */
export class FakeWatcher implements Watcher {
  readonly key: string;
  readonly calls: string[][] = [];
  mailboxes: readonly string[] = [];
  /** Members that the rows of new messages are to have. */
  wanted: readonly Field[] = [];
  closed = false;
  readonly #tell: Tell;
  readonly #watchers: FakeWatchers;

  constructor(key: string, tell: Tell, watchers: FakeWatchers) {
    this.key = key;
    this.#tell = tell;
    this.#watchers = watchers;
  }

  async watch(mailboxes: readonly string[], signal: AbortSignal): Promise<Map<string, WatchedMailbox | null>> {
    this.calls.push([...mailboxes]);
    this.mailboxes = mailboxes;
    this.#watchers.changed();
    await this.#watchers.find(this, signal);
    const known = (name: string) => !this.#watchers.missing.has(name);
    return new Map(mailboxes.map((name) => [name, known(name) ? { uidValidity: 1, lagMs: 5, state: 's' } : null]));
  }

  want(fields: readonly Field[]): void {
    this.wanted = fields;
  }

  async catchUp(mailboxes: readonly string[]): Promise<void> {
    for (const name of mailboxes) this.#watchers.late.get(name)?.(this);
  }

  get alive(): boolean {
    return !this.closed;
  }

  close(): void {
    this.closed = true;
    this.#watchers.changed();
  }

  tell(change: MailboxChange, fields?: readonly Field[]): void {
    if (this.closed) throw new Error('A closed watcher tells nothing.');
    this.#tell(change, fields);
  }

  /** Tells a change that carries a number of the test's own. */
  count(mailbox: string, messages: number): void {
    this.tell({ type: 'counts', mailbox, counts: { messages, unseen: 0, uidNext: null, uidValidity: 1, size: null } });
  }
}

/** All watchers that a hub started. */
export class FakeWatchers {
  readonly started: FakeWatcher[] = [];
  readonly missing = new Set<string>();
  /** What a watcher tells of a folder when it is asked to catch up. */
  readonly late = new Map<string, (watcher: FakeWatcher) => void>();
  /** What a call of watch() waits for before it answers. */
  find: (watcher: FakeWatcher, signal: AbortSignal) => Promise<void> = async () => {};
  readonly #listeners = new Set<() => void>();

  readonly start: StartWatcher = ({ key }, tell) => {
    const watcher = new FakeWatcher(key, tell, this);
    this.started.push(watcher);
    return watcher;
  };

  get live(): FakeWatcher[] {
    return this.started.filter(({ closed }) => !closed);
  }

  /** The only one. */
  get one(): FakeWatcher {
    const [watcher, ...others] = this.live;
    if (!watcher || others.length > 0) throw new Error(`There are ${this.live.length} watchers.`);
    return watcher;
  }

  /** Resolves as soon as the question is answered with yes, which is asked whenever something happens to a watcher. */
  until(question: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const ask = () => {
        if (!question()) return;
        this.#listeners.delete(ask);
        resolve();
      };
      this.#listeners.add(ask);
      ask();
    });
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
