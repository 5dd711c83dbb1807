import type { ImapFlow } from 'imapflow';
import { decodePath } from 'imapflow/lib/tools.js';
import { toFlags } from './convert.js';
import { type ImapAttribute, listOf, numberOf, textOf } from './raw-exec.js';

/** Hears what the server tells of the selected folder, in its order and before the command that asked for it. */
export interface Follower {
  /** EXISTS: so many messages are there now. */
  onExists(count: number): void;
  /** EXPUNGE: the message with this sequence number is gone, and those behind it count one less. */
  onExpunge(seq: number): void;
  /** VANISHED (RFC 7162 section 3.2.10), a set of uids; `earlier`: not since, but before this SELECT. */
  onVanished(uids: string, earlier: boolean): void;
  /** FLAGS in a FETCH, asked for or not. */
  onFlags(update: FlagUpdate): void;
  /** Another folder is selected, none is, or the connection ended: nothing more will be heard. */
  onLost(): void;
}

export interface FlagUpdate {
  seq: number;
  uid: number | undefined;
  flags: string[];
  modseq: bigint | undefined;
}

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  getUntaggedHandler(command: string, attributes: ImapAttribute[] | undefined): unknown;
}

/** Who hears what the server tells unasked. */
export interface Listeners {
  follower: () => Follower | undefined;
  /** An untagged STATUS: a folder that is not selected changed (NOTIFY, RFC 5465), unless it was asked for. */
  onStatus: (mailbox: string) => void;
  /** An untagged NO or BAD: a warning that belongs to no command (RFC 9051 section 7.1). */
  onTrouble: () => void;
}

/** Lets others hear each untagged response: imapflow shows those that a command has a handler for to nobody else. */
export function journal(flow: ImapFlow, { follower: followerOf, onStatus, onTrouble }: Listeners): void {
  const inside = flow as unknown as FlowInside;
  const handlerOf = inside.getUntaggedHandler.bind(flow);
  inside.getUntaggedHandler = (command, attributes) => {
    if (/^(?:NO|BAD)$/i.test(command)) onTrouble();
    if (/^STATUS$/i.test(command)) onStatus(decodePath(flow, textOf(attributes?.[0])));
    const follower = followerOf();
    if (follower) tell(follower, command, attributes ?? []);
    return handlerOf(command, attributes);
  };
}

function tell(follower: Follower, command: string, attributes: ImapAttribute[]): void {
  const number = /^\d{1,10}$/.test(command) ? Number(command) : undefined;
  if (number === undefined) {
    if (command.toUpperCase() === 'VANISHED') tellVanished(follower, attributes);
    return;
  }
  const keyword = textOf(attributes[0]).toUpperCase();
  if (keyword === 'EXISTS') follower.onExists(number);
  else if (keyword === 'EXPUNGE') follower.onExpunge(number);
  else if (keyword === 'FETCH') tellFlags(follower, number, listOf(attributes[1]));
}

function tellVanished(follower: Follower, attributes: ImapAttribute[]): void {
  const earlier = listOf(attributes[0]).some((tag) => textOf(tag).toUpperCase() === 'EARLIER');
  follower.onVanished(textOf(attributes[earlier ? 1 : 0]), earlier);
}

function tellFlags(follower: Follower, seq: number, pairs: ImapAttribute[]): void {
  const { uid, flags, modseq } = flagsTold(pairs);
  if (flags) follower.onFlags({ seq, uid, flags, modseq });
}

/** What the items of a FETCH response tell of flags. */
export function flagsTold(pairs: ImapAttribute[]): Omit<FlagUpdate, 'seq' | 'flags'> & { flags: string[] | undefined } {
  let uid: number | undefined;
  let flags: string[] | undefined;
  let modseq: bigint | undefined;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const name = textOf(pairs[index]).toUpperCase();
    const value = pairs[index + 1];
    if (name === 'UID') uid = numberOf(value);
    else if (name === 'FLAGS') flags = toFlags(value);
    else if (name === 'MODSEQ') modseq = toModseq(textOf(listOf(value)[0]));
  }
  return { uid, flags, modseq };
}

function toModseq(text: string): bigint | undefined {
  return /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}
