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
