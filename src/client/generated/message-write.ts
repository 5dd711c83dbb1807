// Written by `npm run docs` from src/protocol.

import type { AppendBytes, AppendStream, CallOptions, InSession } from '../calls.js';
import type { Explanation, WriteParams } from './models.js';

/** Parameters of message.flag. */
export interface MessageFlagParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 10000. */
  uids: readonly number[];
  /** set: the messages have these flags and no others. */
  action: 'add' | 'remove' | 'set';
  /** Empty only with set: takes all flags away. */
  flags: readonly string[];
}

/** What message.flag answers. */
export interface MessageFlagResult {
  /** Flags as the server has them afterwards. */
  messages: {
    /** Uid of the message in its folder. */
    uid: number;
    flags: string[];
  }[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.label. */
export interface MessageLabelParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 10000. */
  uids: readonly number[];
  /** Labels to add. Default: `[]`. */
  add?: readonly string[] | undefined;
  /** None that is added; one of the two is not empty. Default: `[]`. */
  remove?: readonly string[] | undefined;
}

/** What message.label answers. */
export interface MessageLabelResult {
  /** In the order of the uids. */
  messages: {
    /** Uid of the message in its folder. */
    uid: number;
    /**
     * As the server has them afterwards, without that of the folder itself; null where the message is not in the
     * folder any more.
     */
    labels: string[] | null;
  }[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.copy. */
export interface MessageCopyParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 10000. */
  uids: readonly number[];
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  destination: string;
  /**
   * Chosen by the caller: within 15 minutes the same key answers what the first request answered and does
   * nothing again.
   */
  idempotencyKey?: string | undefined;
}

/** What message.copy answers. */
export interface MessageCopyResult {
  destination: string;
  /** null where the server has no UIDPLUS and it was not found. */
  destinationUidValidity: number | null;
  /** Source and destination uids; empty where the server does not tell them. */
  uids: {
    /** Uid of the message in its folder. */
    source: number;
    /** Uid of the message in its folder. */
    destination: number;
  }[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.move. */
export interface MessageMoveParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 10000. */
  uids: readonly number[];
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  destination: string;
  /**
   * Chosen by the caller: within 15 minutes the same key answers what the first request answered and does
   * nothing again.
   */
  idempotencyKey?: string | undefined;
}

/** What message.move answers. */
export interface MessageMoveResult {
  destination: string;
  /** null where the server has no UIDPLUS and it was not found. */
  destinationUidValidity: number | null;
  /** Source and destination uids; empty where the server does not tell them. */
  uids: {
    /** Uid of the message in its folder. */
    source: number;
    /** Uid of the message in its folder. */
    destination: number;
  }[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.delete. */
export interface MessageDeleteParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 10000. */
  uids: readonly number[];
}

/** What message.delete answers. */
export interface MessageDeleteResult {
  /** Uid of the message in its folder. */
  deleted: number[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.append. */
export interface MessageAppendParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** Flags and keywords of the message. Default: `[]`. */
  flags?: readonly string[] | undefined;
  /** Default: now. */
  internalDate?: string | undefined;
  /**
   * Chosen by the caller: within 15 minutes the same key answers what the first request answered and does
   * nothing again.
   */
  idempotencyKey?: string | undefined;
  /**
   * For a request that is sent again, with its idempotencyKey: where the folder has a message with the
   * Message-ID of this one already, nothing is stored and the answer is that message. Default: `false`.
   */
  repeat?: boolean | undefined;
}

/** What message.append answers. */
export interface MessageAppendResult {
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number | null;
  /** By UIDPLUS, else found by a search; null where neither is certain. */
  uid: number | null;
  /** Only where it was asked for. */
  explain?: Explanation;
}

export interface MessageWriteCalls {
  /**
   * Adds, removes or sets flags and keywords.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO
   */
  flag(params: InSession<MessageFlagParams>, options?: CallOptions): Promise<MessageFlagResult>;
  /**
   * Adds and removes labels of Gmail (X-GM-LABELS); the folders of the labels change with them.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, UNSUPPORTED
   */
  label(params: InSession<MessageLabelParams>, options?: CallOptions): Promise<MessageLabelResult>;
  /**
   * Copies messages to another folder.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, IDEMPOTENCY_MISMATCH
   */
  copy(params: InSession<MessageCopyParams>, options?: CallOptions): Promise<MessageCopyResult>;
  /**
   * Moves messages: MOVE where offered, else COPY, \Deleted and UID EXPUNGE.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, IDEMPOTENCY_MISMATCH
   */
  move(params: InSession<MessageMoveParams>, options?: CallOptions): Promise<MessageMoveResult>;
  /**
   * Deletes messages for good with UID EXPUNGE: never another client's deleted mail.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO
   */
  delete(params: InSession<MessageDeleteParams>, options?: CallOptions): Promise<MessageDeleteResult>;
  /**
   * Stores a message, inline or uploaded by a stream.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, STREAM_STALLED, IDEMPOTENCY_MISMATCH
   */
  append(params: InSession<MessageAppendParams> & AppendBytes, options?: CallOptions): Promise<MessageAppendResult>;
  /**
   * Stores a message, inline or uploaded by a stream.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, STREAM_STALLED, IDEMPOTENCY_MISMATCH
   */
  append(params: InSession<MessageAppendParams> & AppendStream, options?: CallOptions): Promise<MessageAppendResult>;
}

export interface MessageWriteCallsInSession {
  /**
   * Adds, removes or sets flags and keywords.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO
   */
  flag(params: MessageFlagParams, options?: CallOptions): Promise<MessageFlagResult>;
  /**
   * Adds and removes labels of Gmail (X-GM-LABELS); the folders of the labels change with them.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, UNSUPPORTED
   */
  label(params: MessageLabelParams, options?: CallOptions): Promise<MessageLabelResult>;
  /**
   * Copies messages to another folder.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, IDEMPOTENCY_MISMATCH
   */
  copy(params: MessageCopyParams, options?: CallOptions): Promise<MessageCopyResult>;
  /**
   * Moves messages: MOVE where offered, else COPY, \Deleted and UID EXPUNGE.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, IDEMPOTENCY_MISMATCH
   */
  move(params: MessageMoveParams, options?: CallOptions): Promise<MessageMoveResult>;
  /**
   * Deletes messages for good with UID EXPUNGE: never another client's deleted mail.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO
   */
  delete(params: MessageDeleteParams, options?: CallOptions): Promise<MessageDeleteResult>;
  /**
   * Stores a message, inline or uploaded by a stream.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, STREAM_STALLED, IDEMPOTENCY_MISMATCH
   */
  append(params: MessageAppendParams & AppendBytes, options?: CallOptions): Promise<MessageAppendResult>;
  /**
   * Stores a message, inline or uploaded by a stream.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, STREAM_STALLED, IDEMPOTENCY_MISMATCH
   */
  append(params: MessageAppendParams & AppendStream, options?: CallOptions): Promise<MessageAppendResult>;
}
