// Written by `npm run docs` from src/protocol.

import type { Explanation, MessageSummary, StatusCounts } from './models.js';

/** Messages arrived. */
export interface NewEvent<R extends MessageSummary = MessageSummary> {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  mailbox: string;
  /** When the broker learnt of it. */
  at: string;
  type: 'new';
  uidValidity: number;
  /**
   * Messages that arrived, with the `fields` that this socket asked for in watch.start or events.resume; the
   * newest of them.
   */
  messages: R[];
  /**
   * true: there are others; list the folder. So it is where rows are too long for one event, and where a resumed
   * socket asks for members that the events which it missed do not have.
   */
  more?: boolean;
}

/** Messages have other flags. */
export interface ChangedEvent {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  mailbox: string;
  /** When the broker learnt of it. */
  at: string;
  type: 'changed';
  uidValidity: number;
  /** Messages with other flags than before, with all of them. */
  messages: {
    /** Uid of the message in its folder. */
    uid: number;
    flags: string[];
  }[];
}

/** Messages are gone. */
export interface VanishedEvent {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  mailbox: string;
  /** When the broker learnt of it. */
  at: string;
  type: 'vanished';
  uidValidity: number;
  /** Messages that are gone; may name some of which no event has told. */
  uids: number[];
}

/** A folder has other counts. */
export interface CountsEvent {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  mailbox: string;
  /** When the broker learnt of it. */
  at: string;
  type: 'counts';
  counts: StatusCounts;
}

/** List the folder again. */
export interface ResetEvent {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  mailbox: string;
  /** When the broker learnt of it. */
  at: string;
  /** The folder has another UIDVALIDITY, is gone, or what changed cannot be told: list it again. */
  type: 'reset';
  /** Where it is known. */
  uidValidity?: number;
}

/** Folders came, went or changed. */
export interface FoldersEvent {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
  /** 1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches. */
  seq: number;
  /** When the broker learnt of it. */
  at: string;
  /** Folders of the account came, went or changed; sent where `folders` was asked for. */
  type: 'folders';
  created: string[];
  deleted: string[];
  /** By this broker. What others rename is told as deleted and created. */
  renamed: {
    from: string;
    to: string;
  }[];
  subscribed: string[];
  /** Without those that are deleted. */
  unsubscribed: string[];
  /** There are others: list the folders. */
  more?: true;
}

/** What changed in a folder that is watched. */
export type WatchEvent<R extends MessageSummary = MessageSummary> =
  | NewEvent<R>
  | ChangedEvent
  | VanishedEvent
  | CountsEvent
  | ResetEvent
  | FoldersEvent;

/** The first frame after the upgrade. */
export interface Hello {
  /** Version of the broker. */
  version: string;
  /** Another one after each start of the broker. */
  epoch: string;
  /** The broker pings this often and closes with 4408 without a pong. */
  heartbeatMs: number;
  limits: {
    /** Largest frame that the broker takes. */
    frameBytes: number;
    /** Most unanswered requests of one socket; more answer RATE_LIMITED. */
    pendingRequests: number;
    /** Most open streams of one socket. */
    streams: number;
    defaultTimeoutMs: number;
    streamInitialCreditBytes: number;
    streamPayloadBytes: number;
    streamStallMs: number;
  };
}

/**
 * A session that this socket uses, or its OAuth2 access token, ends within five minutes: session.renew or
 * session.refresh now. Sent once.
 */
export interface SessionExpiring {
  server: string;
  user: string;
  what: 'session' | 'accessToken';
  /** RFC 3339 in UTC. */
  expiresAt: string;
}

/**
 * The broker answered a request of a user in this trace. The notification has nothing of what the request or
 * the answer contains.
 */
export interface TraceEvent {
  /** As trace.start answered it. */
  trace: string;
  /** When the request was answered. */
  at: string;
  /** The application. */
  tenant: string;
  /** Id of the socket that the request came by. */
  socket: string;
  /** Id of the request on that socket. */
  request: string | number;
  method: string;
  /** Milliseconds from the arrival of the request to its answer. */
  ms: number;
  /** ok, or the kind of the error. */
  outcome: string;
  /** As in the `meta` of the answer; null where the answer has none. */
  source: 'server' | 'validated' | 'cache' | 'coalesced' | null;
  /** null where the request asked no IMAP server, or began before the trace. */
  explain: Explanation | null;
  /** Requests since the last notification that were not told, because there were too many. */
  missed: number;
}

/**
 * This socket watches nothing of the account any more: the account's last session has ended, by session.close,
 * session.revoke or its age.
 */
export interface WatchEnded {
  /** As in broker.hello. */
  epoch: string;
  /** The account, as watch.start answered it. */
  topic: string;
}
