import type { CallOptions } from '../calls.js';
import type { WatchEnded, WatchEvent } from '../generated/events.js';
import type { MethodName } from '../generated/methods.js';
import type { WatchedMailbox, WatchStartResult } from '../generated/watch.js';
import type { Link } from '../link.js';
import { Channel, type ChannelHost, type Resumed } from './channel.js';
import { Member, type MemberChannel, type Watch, type WatchOptions } from './watch.js';

/** How watches send their requests. */
export interface WatchCallOptions extends CallOptions {
  /** Called with the result in the very turn in which it came, so before any frame behind it. */
  onAnswer?: (result: unknown, link: Link) => void;
  /** Whether the request is sent on one socket only. */
  once?: boolean;
}

export type WatchCall = (
  method: MethodName,
  params: Record<string, unknown>,
  options: WatchCallOptions,
) => Promise<unknown>;

/** Resumes under way at once: thousands of watches come back after a restart, and a socket takes some hundred requests. */
const MOST_RESUMES = 32;

/** Stands for events of type folders among names of folders. */
const ALL_FOLDERS = '';

/** All watches of a client. */
export class Watches implements ChannelHost {
  readonly #call: WatchCall;
  readonly #channels = new Map<string, Channel>();
  /** Requests under way that begin a watch, with the folders in capitals. */
  readonly #starting = new Map<Promise<unknown>, ReadonlySet<string>>();
  readonly #queue: Array<() => void> = [];
  #resumes = 0;

  constructor(call: WatchCall) {
    this.#call = call;
  }

  async start(options: WatchOptions): Promise<Watch> {
    const { mailboxes, fields, folders, signal, timeoutMs } = options;
    const member = new Member(options, () => void this.#close(member));
    try {
      let begun: WatchedMailbox[] = [];
      // Before anything is under way: names of a caller without types may be no strings.
      const names = capitals(folders ? [...mailboxes, ALL_FOLDERS] : mailboxes);
      const params = {
        session: member.token,
        mailboxes,
        ...(fields === undefined ? {} : { fields }),
        ...(folders ? { folders } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      const starting = this.#call('watch.start', params, {
        ...(signal ? { signal } : {}),
        onAnswer: (result, link) => {
          begun = this.#begin(member, result as WatchStartResult, link);
        },
      });
      await this.#noted(starting, names);
      return { mailboxes: begun, close: () => this.#close(member) };
    } catch (error) {
      member.end();
      throw error;
    }
  }

  receive(link: Link, event: WatchEvent): void {
    this.#channels.get(topicKey(event))?.receive(link, event);
  }

  ended(link: Link, ended: WatchEnded): void {
    this.#channels.get(topicKey(ended))?.ended(link);
  }

  /** A socket is closed, or takes no requests any more. */
  lost(link: Link): void {
    for (const channel of [...this.#channels.values()]) channel.lost(link);
  }

  /** Ends all watches; neither the broker nor a callback is told. */
  close(): void {
    for (const channel of this.#channels.values()) {
      channel.close();
      for (const member of channel.members) member.end();
    }
    this.#channels.clear();
  }

  async resume(...[params, signal, onAnswer]: Parameters<ChannelHost['resume']>): Promise<void> {
    if (this.#resumes >= MOST_RESUMES) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#resumes += 1;
    try {
      await this.#call('events.resume', params, {
        signal,
        once: true,
        onAnswer: (result, link) => onAnswer(result as Resumed, link),
      });
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#resumes -= 1;
    }
  }

  moved(channel: Channel, answer: Resumed, link: Link, sure: ReadonlySet<Member>): void {
    const members = [...channel.members];
    channel.close();
    this.#channels.delete(topicKey(channel));
    const next = this.#channelOf(answer, link);
    for (const member of members) {
      // Watches that began meanwhile on another socket are not known on this one.
      next.join(member, sure.has(member) ? member.position : answer.seq, member.link === link ? link : undefined);
    }
    for (const member of members.filter((one) => !sure.has(one))) {
      member.resync(member.mailboxes);
      const lost = answer.missing.filter((name) => member.mailboxes.has(name));
      if (lost.length > 0 && !member.lose(lost)) next.leave(member);
    }
  }

  async stop(session: string, mailboxes?: string[], onAnswer: (link: Link) => void = () => {}): Promise<void> {
    await this.#call('watch.stop', mailboxes ? { session, mailboxes } : { session }, {
      once: true,
      onAnswer: (_result, link) => onAnswer(link),
    });
  }

  gone(channel: Channel): void {
    if (this.#channels.get(topicKey(channel)) === channel) this.#channels.delete(topicKey(channel));
  }

  #begin(member: Member, answer: WatchStartResult, link: Link): WatchedMailbox[] {
    const { mailboxes, seq } = answer;
    for (const { mailbox } of mailboxes) member.mailboxes.add(mailbox);
    const channel = this.#channelOf(answer, link);
    channel.join(member, seq, link);
    // The caller gave the watch up while its request was under way, which the broker does not know.
    if (member.over) void this.#leave(member, channel);
    return mailboxes;
  }

  #channelOf(answer: { epoch: string; topic: string }, link: Link): Channel {
    const key = topicKey(answer);
    const channel = this.#channels.get(key) ?? new Channel(this, answer, link);
    this.#channels.set(key, channel);
    return channel;
  }

  async #close(member: Member): Promise<void> {
    member.end();
    if (member.channel?.members.has(member)) await this.#leave(member, member.channel);
  }

  async #leave(member: Member, channel: MemberChannel): Promise<void> {
    channel.leave(member);
    const names = [...member.mailboxes];
    // Without this wait, the broker would end a watch that another call is just about to begin.
    const waited = [...names, ...(member.folders ? [ALL_FOLDERS] : [])];
    for (let others = this.#startingWith(waited); others.length > 0; others = this.#startingWith(waited)) {
      await Promise.allSettled(others);
    }
    const current = this.#channels.get(topicKey(channel));
    const unwanted = names.filter((name) => !current?.wants(name));
    const folders = member.folders && ![...(current?.members ?? [])].some((other) => other.folders);
    if ((unwanted.length === 0 && !folders) || !(current ?? channel).live) return;
    try {
      await this.#call('watch.stop', { session: member.token, mailboxes: unwanted, folders }, { once: true });
    } catch {
      // Where this fails, the socket gets events that no watch takes, until the socket is closed.
    }
  }

  #startingWith(mailboxes: readonly string[]): Promise<unknown>[] {
    const wanted = capitals(mailboxes);
    return [...this.#starting].filter(([, names]) => [...wanted].some((name) => names.has(name))).map(([one]) => one);
  }

  async #noted(starting: Promise<unknown>, names: ReadonlySet<string>): Promise<void> {
    this.#starting.set(starting, names);
    try {
      await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }
}

function capitals(mailboxes: readonly string[]): ReadonlySet<string> {
  return new Set(mailboxes.map((name) => name.toUpperCase()));
}

function topicKey({ epoch, topic }: { epoch: string; topic: string }): string {
  return `${epoch} ${topic}`;
}
