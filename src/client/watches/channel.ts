import { backoff, sleep } from '../backoff.js';
import { RpcError } from '../errors.js';
import type { WatchEvent } from '../generated/events.js';
import type { Field } from '../generated/models.js';
import type { EventsResumeResult } from '../generated/watch.js';
import type { Link } from '../link.js';
import type { DefaultFields } from '../rows.js';
import type { Member, MemberChannel } from './watch.js';

export type Resumed = EventsResumeResult;

/** What a channel needs of the client. */
export interface ChannelHost {
  /** Sends events.resume once; `onAnswer` is called in the very turn in which the answer came. */
  resume(
    params: { session: string; epoch: string; after: number; mailboxes: string[]; fields?: Field[]; folders?: true },
    signal: AbortSignal,
    onAnswer: (answer: Resumed, link: Link) => void,
  ): Promise<unknown>;
  /** Ends the watch of folders of an account, by default of all, on the current socket; `onAnswer` as above. */
  stop(session: string, mailboxes?: string[], onAnswer?: (link: Link) => void): Promise<unknown>;
  /** The broker cannot tell what was missed: the members go to the channel of the answer. */
  moved(channel: Channel, answer: Resumed, link: Link, sure: ReadonlySet<Member>): void;
  /** The channel has no members any more. */
  gone(channel: Channel): void;
}

/** Errors that a retry does not cure: the session has ended, or the broker never takes the request. */
const lasting = new Set([
  'SESSION_EXPIRED',
  'IMAP_AUTH_FAILED',
  'IMAP_TOKEN_EXPIRED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'SERVER_NOT_ALLOWED',
  'INVALID_PARAMS',
  'INVALID_REQUEST',
  'METHOD_NOT_FOUND',
]);

/** Most milliseconds that a watch waits for a retry because the broker says so. */
const MOST_RETRY_MS = 300_000;
/** What rows have for a watch that names no members: the default of the contract, whose validation is no part of clients. */
const usualFields: DefaultFields = ['envelope', 'flags', 'size', 'internalDate'];
/** Most header names in one element of `fields`. */
const MOST_NAMES = 20;
/** How often events that came too early on a socket are asked for again, before the folders must be listed again. */
const MOST_CLEARINGS = 5;

/**
 * All watches of a client on one account. The broker sends an event once to a socket, however many watches want it, so
 * one request takes all watches to the next socket. Events that come there before its answer, because another watch
 * began there, are not given to the watches: the broker is asked for these events again.
 */
export class Channel implements MemberChannel {
  readonly epoch: string;
  readonly topic: string;
  readonly members = new Set<Member>();
  readonly #host: ChannelHost;
  /** The socket whose events are given to the members: it may be about to close, or be closed, until there is another. */
  #link: Link | undefined;
  /** Sockets on which the broker has sent events that not all members were given; they are not sent there again. */
  readonly #heard = new WeakSet<Link>();
  readonly #end = new AbortController();
  #resuming = false;
  #attempts = 0;
  #clearings = 0;

  constructor(host: ChannelHost, { epoch, topic }: Pick<Resumed, 'epoch' | 'topic'>, link: Link) {
    this.#host = host;
    this.epoch = epoch;
    this.topic = topic;
    this.#link = link;
  }

  /** Whether events come. */
  get live(): boolean {
    return this.#link?.usable === true;
  }

  /** A watch that has begun: events above the number come on the socket, if there is one already. */
  join(member: Member, position: number, link: Link | undefined): void {
    member.position = position;
    member.link = link;
    member.channel = this;
    this.members.add(member);
    if (this.#link && link !== this.#link) this.#heard.add(this.#link);
    void this.#resume();
  }

  leave(member: Member): void {
    this.members.delete(member);
    if (this.members.size > 0) return;
    this.close();
    this.#host.gone(this);
  }

  receive(link: Link, event: WatchEvent): void {
    if (link !== this.#link) {
      this.#heard.add(link);
      return;
    }
    for (const member of [...this.members]) if (member.link === link) member.take(event);
  }

  /** A socket is closed, or takes no requests any more. */
  lost(link: Link): void {
    if (link === this.#link) void this.#resume();
  }

  /** The broker has ended the watch on a socket. The watch, or its session, may still be good: a retry tells. */
  ended(link: Link): void {
    for (const member of this.members) if (member.link === link) member.link = undefined;
    this.#heard.delete(link);
    if (link === this.#link) this.#link = undefined;
    void this.#resume();
  }

  wants(mailbox: string): boolean {
    for (const { mailboxes } of this.members) if (mailboxes.has(mailbox)) return true;
    return false;
  }

  close(): void {
    this.#end.abort(new Error('The watches have ended.'));
  }

  get #settled(): boolean {
    return this.live && [...this.members].every(({ link }) => link === this.#link);
  }

  /** Takes the members to a socket that stays. */
  async #resume(): Promise<void> {
    const { signal } = this.#end;
    if (this.#resuming) return;
    this.#resuming = true;
    for (let failures = 0; !this.#settled && !signal.aborted; ) {
      const [member] = this.members;
      if (!member) break;
      try {
        await this.#attempt(member);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (signal.aborted) break;
        if (!(error instanceof RpcError) || lasting.has(error.kind)) {
          this.leave(member);
          member.end(error);
        } else {
          const retryAfterMs = Math.min(error.retryAfterMs ?? 0, MOST_RETRY_MS);
          await sleep(Math.max(backoff(failures), retryAfterMs), signal).catch(() => {});
        }
      }
    }
    this.#resuming = false;
  }

  async #attempt({ token }: Member): Promise<void> {
    this.#attempts += 1;
    const attempt = this.#attempts;
    const asked = new Set(this.members);
    const mailboxes = [...new Set([...asked].flatMap((member) => [...member.mailboxes]))];
    const after = Math.min(...[...asked].map(({ position }) => position));
    const folders = [...asked].some((member) => member.folders);
    let early = false;
    await this.#host.resume(
      {
        session: token,
        epoch: this.epoch,
        after,
        mailboxes,
        ...fieldsOf(asked),
        ...(folders ? { folders: true } : {}),
      },
      this.#end.signal,
      (answer, link) => {
        // The answer comes too late: its attempt was given up, or its socket takes no requests any more.
        if (this.#end.signal.aborted || attempt !== this.#attempts || !link.usable) return;
        const heard = this.#heard.has(link);
        early = heard && !answer.resync && this.#clearings < MOST_CLEARINGS;
        if (early) return;
        this.#clearings = 0;
        if (heard || answer.resync) this.#move(answer, link, asked, heard);
        else this.#attach(answer, link, after, mailboxes, folders);
        const unwanted = mailboxes.filter((name) => !answer.missing.includes(name) && !this.wants(name));
        if (unwanted.length > 0) void this.#host.stop(token, unwanted).catch(() => {});
      },
    );
    if (!early) return;
    // The broker would not send the early events to this socket again, unless the socket ends its watch before.
    this.#clearings += 1;
    await this.#host.stop(token, undefined, (link) => this.#heard.delete(link));
  }

  /** The socket has all events of these folders above a number. */
  #attach({ missing }: Resumed, link: Link, after: number, mailboxes: readonly string[], folders: boolean): void {
    this.#link = link;
    for (const member of [...this.members]) {
      // Some members may have begun after the request was sent.
      const named = [...member.mailboxes].every((name) => mailboxes.includes(name)) && (folders || !member.folders);
      const covered = after <= member.position && named;
      if (covered) member.link = link;
      else if (member.link !== link) this.#heard.add(link);
      const lost = missing.filter((name) => member.mailboxes.has(name));
      if (lost.length > 0) member.resync(lost);
      if (lost.length > 0 && !member.lose(lost)) this.leave(member);
    }
  }

  #move(answer: Resumed, link: Link, asked: ReadonlySet<Member>, heard: boolean): void {
    // Members that began on this socket meanwhile, and of whose events none was dropped, go on as they are.
    const sure = [...this.members].filter((member) => !heard && !asked.has(member) && member.link === link);
    for (const member of asked) member.link = link;
    this.#host.moved(this, answer, link, new Set(sure));
  }
}

/** Members of rows that any of the watches wants; none where all want the default ones. */
function fieldsOf(members: ReadonlySet<Member>): { fields?: Field[] } {
  const wanted = [...members].map(({ fields }) => fields);
  if (wanted.every((fields) => fields === undefined)) return {};
  const all = wanted.flatMap((fields) => fields ?? usualFields);
  const names = new Map(
    all.flatMap((one) => (typeof one === 'string' ? [] : one.headers)).map((name) => [name.toLowerCase(), name]),
  );
  const headers = [...names.values()];
  const fields = new Set<Field>(all.filter((one) => typeof one === 'string'));
  for (let at = 0; at < headers.length; at += MOST_NAMES) fields.add({ headers: headers.slice(at, at + MOST_NAMES) });
  return { fields: [...fields] };
}
