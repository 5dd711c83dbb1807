import { guarded } from '../callback.js';
import { rpcError } from '../errors.js';
import type { WatchEvent } from '../generated/events.js';
import type { MessageSummary } from '../generated/models.js';
import type { WatchedMailbox } from '../generated/watch.js';
import type { Link } from '../link.js';
import type { Fields, Row } from '../rows.js';
import { onAbort } from '../shared-signal.js';

/** What is watched, and who is told. */
export interface SessionWatchOptions<F extends Fields = Fields> {
  /** Names of the folders to watch; may be empty with `folders`. */
  mailboxes: readonly string[];
  /** Whether events of type folders come as well, which tell which folders came, went or changed. */
  folders?: boolean;
  /**
   * Members of the rows in events of type new, as in message.list. Where other watches of the client on the same folders
   * want others, the rows have those as well.
   */
  fields?: F;
  /** Called with each event once, in order; the first may come before the watch itself is there. */
  onEvent: (event: WatchEvent<Row<MessageSummary, F>>) => unknown;
  /**
   * What happened in these folders while there was no socket cannot be told: list them again, and which folders there are
   * where the watch tells that. Later events follow.
   */
  onResync: (mailboxes: string[]) => unknown;
  /** The watch has ended for good, with its session for instance. Not called when the caller ends the watch. */
  onEnd?: (error: unknown) => unknown;
  /** Called with what one of the other callbacks threw; without `onError` that is dropped. */
  onError?: (error: unknown) => unknown;
  /** Ends the watch. */
  signal?: AbortSignal;
  /** Milliseconds until the watch must have begun. */
  timeoutMs?: number;
}

/** What is watched of which session. */
export interface WatchOptions<F extends Fields = Fields> extends SessionWatchOptions<F> {
  /** Token of the session, or a function that answers the current one: a watch may last longer than a token. */
  session: string | (() => string);
}

/** A watch that goes on over lost sockets and restarts of the broker until it is closed or its session ends. */
export interface Watch {
  /** The folders as they were when the watch began. */
  readonly mailboxes: WatchedMailbox[];
  /** Ends the watch: no callback is called any more. Never rejects. */
  close(): Promise<void>;
}

/** The channel by which a member is told. */
export interface MemberChannel {
  readonly epoch: string;
  readonly topic: string;
  readonly members: ReadonlySet<Member>;
  readonly live: boolean;
  leave(member: Member): void;
}

/** One watch of a caller: what it wants and what it was given. */
export class Member {
  readonly mailboxes = new Set<string>();
  channel: MemberChannel | undefined;
  /** The socket on which the broker sends its events. */
  link: Link | undefined;
  /** All events up to this number were given to the member, as far as they are for its folders. */
  position = 0;
  over = false;
  readonly #options: WatchOptions;
  readonly #unlisten: (() => void) | undefined;

  /** @param onAborted called when the caller's signal aborts */
  constructor(options: WatchOptions, onAborted: () => void) {
    this.#options = options;
    this.#unlisten = options.signal && onAbort(options.signal, onAborted);
  }

  /** Members of rows that the caller asked for; undefined for the default ones. */
  get fields(): Fields | undefined {
    return this.#options.fields;
  }

  get folders(): boolean {
    return this.#options.folders === true;
  }

  get token(): string {
    const { session } = this.#options;
    return typeof session === 'string' ? session : session();
  }

  /** Takes an event on the member's socket, one that is later there than all that the member missed. */
  take(event: WatchEvent): void {
    if (event.seq <= this.position) return;
    this.position = event.seq;
    if (event.type === 'folders' ? this.folders : this.mailboxes.has(event.mailbox))
      this.#guard(() => this.#options.onEvent(event));
  }

  resync(mailboxes: Iterable<string>): void {
    this.#guard(() => this.#options.onResync([...mailboxes]));
  }

  /** Takes folders out that are not there any more. @returns whether other folders are left */
  lose(mailboxes: readonly string[]): boolean {
    for (const name of mailboxes) this.mailboxes.delete(name);
    if (this.mailboxes.size > 0 || this.folders) return true;
    this.end(rpcError('None of the folders is there any more.', { kind: 'NOT_FOUND', executed: 'no' }));
    return false;
  }

  /** No callback is called any more, but for `onEnd` with the error where there is one. */
  end(error?: unknown): void {
    if (this.over) return;
    if (error !== undefined) this.#guard(() => this.#options.onEnd?.(error));
    this.over = true;
    this.#unlisten?.();
  }

  #guard(callback: () => unknown): void {
    if (!this.over) guarded(callback, (error) => this.#report(error));
  }

  #report(error: unknown): void {
    guarded(() => this.#options.onError?.(error));
  }
}
