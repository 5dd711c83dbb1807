// Written by `npm run docs` from src/protocol.

import type { Anew, CallOptions, InSession } from '../calls.js';
import type { DefaultFields, Fields, Row } from '../rows.js';
import type { Criteria } from './criteria.js';
import type { Explanation, FoundMessage, KeptParams, MessageSummary, Meta, ReadParams, Unchanged } from './models.js';

/** A message with the replies to it, in order of their dates. */
export interface Thread {
  /** Uid of the message in its folder. */
  uid: number | null;
  replies: Thread[];
}

/** A conversation. */
export interface Conversation<R extends MessageSummary = MessageSummary> {
  /** The first message with the replies to it; its uid is null where that message is not there. */
  tree: Thread;
  /** Messages in it. */
  count: number;
  /** Those of them without the flag \Seen. */
  unseen: number;
  /**
   * The latest date of its messages: the Date header, or when the server received it where that header is
   * missing.
   */
  newest: string;
  /** Rows of its messages, oldest first; none where `fields` is empty. The newest 100 at most: see `more`. */
  messages: R[];
  /** Whether rows of older messages are left out: a page has 5,000 rows at most; message.get has them all. */
  more: boolean;
}

/** Parameters of message.threads. */
export interface MessageThreadsParams<F extends Fields = Fields> extends KeptParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity?: number | undefined;
  /** Only messages that it finds are in conversations: see `whole`. Default: `{}`. */
  filter?: Criteria | undefined;
  /** Whether a conversation in which the filter finds a message comes with all of its messages. Default: `false`. */
  whole?: boolean | undefined;
  /** By the date of the newest message of each. Default: `"newest"`. */
  sort?: 'newest' | 'oldest' | undefined;
  /** Conversations in a page. Default: `50`. */
  limit?: number | undefined;
  /** Goes on behind the last conversation of the page before, whatever has come or gone meanwhile. */
  cursor?: string | undefined;
  /** Conversations to leave out; not with cursor. */
  offset?: number | undefined;
  /** Members of each row beside its uid. Default: `["envelope","flags","size","internalDate"]`. */
  fields?: F | undefined;
}

/** What message.threads answers. */
export interface MessageThreadsResult<R extends MessageSummary = MessageSummary> {
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Conversations in all. */
  total: number;
  threads: Conversation<R>[];
  nextOffset: number | null;
  /** null on the last page. */
  nextCursor: string | null;
  threadedBy: 'server' | 'broker';
  /** State of the folder; opaque. */
  state: string;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.thread. */
export interface MessageThreadParams<F extends Fields = Fields> extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uid of the message in its folder. */
  uid: number;
  /**
   * Folders to look in. Default: the folder of the message and the one with \Sent; where the server has a folder
   * with \All, that one alone.
   */
  mailboxes?: readonly string[] | undefined;
  /** Members of each row beside its uid. Default: `["envelope","flags","size","internalDate"]`. */
  fields?: F | undefined;
}

/** What message.thread answers. */
export interface MessageThreadResult<R extends FoundMessage = FoundMessage> {
  /** By date, oldest first. Copies of a message in two folders are both there. */
  messages: R[];
  /** Whether a bound was met: 500 messages, or three rounds of following references. */
  more: boolean;
  /** Folders that were not searched, or not to the end: the server refused, or the deadline came. */
  incomplete: string[];
  /** server: the server names the conversation of each message. */
  by: 'server' | 'headers';
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

export interface MessageThreadsCalls {
  /**
   * Conversations of a folder, those with the newest message first.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  threads<const F extends Fields = DefaultFields>(
    params: Anew<InSession<MessageThreadsParams<F>>>,
    options?: CallOptions,
  ): Promise<MessageThreadsResult<Row<MessageSummary, F>>>;
  /**
   * Conversations of a folder, those with the newest message first. With `ifState` it answers `{ unchanged: true
   * }` where nothing has changed since then.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  threads<const F extends Fields = DefaultFields>(
    params: InSession<MessageThreadsParams<F>>,
    options?: CallOptions,
  ): Promise<MessageThreadsResult<Row<MessageSummary, F>> | Unchanged>;
  /**
   * The conversation of one message, over folders.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE
   */
  thread<const F extends Fields = DefaultFields>(
    params: InSession<MessageThreadParams<F>>,
    options?: CallOptions,
  ): Promise<MessageThreadResult<Row<FoundMessage, F>>>;
}

export interface MessageThreadsCallsInSession {
  /**
   * Conversations of a folder, those with the newest message first.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  threads<const F extends Fields = DefaultFields>(
    params: Anew<MessageThreadsParams<F>>,
    options?: CallOptions,
  ): Promise<MessageThreadsResult<Row<MessageSummary, F>>>;
  /**
   * Conversations of a folder, those with the newest message first. With `ifState` it answers `{ unchanged: true
   * }` where nothing has changed since then.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  threads<const F extends Fields = DefaultFields>(
    params: MessageThreadsParams<F>,
    options?: CallOptions,
  ): Promise<MessageThreadsResult<Row<MessageSummary, F>> | Unchanged>;
  /**
   * The conversation of one message, over folders.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE
   */
  thread<const F extends Fields = DefaultFields>(
    params: MessageThreadParams<F>,
    options?: CallOptions,
  ): Promise<MessageThreadResult<Row<FoundMessage, F>>>;
}
