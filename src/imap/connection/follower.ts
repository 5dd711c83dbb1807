/** Receives the untagged responses about the selected folder, in order and before the command that caused them ends. */
export interface Follower {
  /** EXISTS: the folder has `count` messages now. */
  onExists(count: number): void;
  /** EXPUNGE: the message with this sequence number is gone; later messages have a number one lower. */
  onExpunge(seq: number): void;
  /** VANISHED (RFC 7162 section 3.2.10), a set of uids; `earlier`: the messages vanished before this SELECT. */
  onVanished(uids: string, earlier: boolean): void;
  /** FLAGS in a FETCH response, solicited or not. */
  onFlags(update: FlagUpdate): void;
  /** Another folder is selected, none is, or the connection ended: no further responses will come. */
  onLost(): void;
}

export interface FlagUpdate {
  seq: number;
  uid: number | undefined;
  flags: string[];
  modseq: bigint | undefined;
}
