// Written by `npm run docs` from src/protocol.

/** A folder as it was when its watch began. */
export interface WatchedMailbox {
  /** The name as events have it. */
  mailbox: string;
  uidValidity: number | null;
  /** Milliseconds by which a change may be told later than it happens, as long as the server can be reached. */
  lagMs: number;
  /** The state of the folder from which on changes are told; opaque. */
  state: string | null;
}

/** What watch.start answers. */
export interface WatchStartResult {
  /** The account, in its events; opaque, the same for all sockets within the epoch. */
  topic: string;
  /** As in broker.hello; numbers of events count within it alone. */
  epoch: string;
  /** Number of the last event before the watch: each change since then has a greater one. */
  seq: number;
  /** Those of the request. */
  mailboxes: WatchedMailbox[];
  /** As in the request. */
  folders: boolean;
}

/** What watch.stop answers. */
export interface WatchStopResult {
  /** What this socket still watches of the account. */
  mailboxes: string[];
}

/** What events.resume answers. */
export interface EventsResumeResult {
  /** The account, in its events; opaque, the same for all sockets within the epoch. */
  topic: string;
  /** As in broker.hello; numbers of events count within it alone. */
  epoch: string;
  /** Number of the last event before the watch: each change since then has a greater one. */
  seq: number;
  /** Those of the request. */
  mailboxes: WatchedMailbox[];
  /** As in the request. */
  folders: boolean;
  /** Folders of the request that are not there any more; the others are watched. */
  missing: string[];
  /** How many events follow that are older than the answer. */
  replayed: number;
  /**
   * true: what was missed cannot be told, because epoch is another one or the event was too long ago. List the
   * folders again.
   */
  resync: boolean;
}
