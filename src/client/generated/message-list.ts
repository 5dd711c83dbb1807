// Written by `npm run docs` from src/protocol.

import type { Anew, CallOptions, InSession } from '../calls.js';
import type { DefaultFields, Fields, Row } from '../rows.js';
import type { Criteria, Sort } from './criteria.js';
import type { Explanation, KeptParams, MessageSummary, Meta, Unchanged } from './models.js';

/** Parameters of message.list. */
export interface MessageListParams<F extends Fields = Fields> extends KeptParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** When given, another UIDVALIDITY at the server answers STATE_CHANGED. */
  uidValidity?: number | undefined;
  /** Only messages that match. Default: all. */
  filter?: Criteria | undefined;
  /**
   * Default: the order of the folder, newest uid first. Sorted by the server where it has SORT, else by the
   * broker, which takes 200,000 messages; beyond that: TOO_LARGE.
   */
  sort?: readonly Sort[] | undefined;
  /** At most 500, unless `fields` is empty. Default: `50`. */
  limit?: number | undefined;
  /** The nextCursor of the page before; opaque. Not together with `offset`. */
  cursor?: string | undefined;
  /** Messages to pass over. A cursor holds while mail arrives and vanishes, an offset does not. */
  offset?: number | undefined;
  /** Answers `total` without any messages. */
  countOnly?: boolean | undefined;
  /**
   * Members of each row beside its uid; empty for uids alone. Default:
   * `["envelope","flags","size","internalDate"]`.
   */
  fields?: F | undefined;
}

/** What message.list answers. */
export interface MessageListResult<R extends MessageSummary = MessageSummary> {
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Messages in the folder, or those that match, on all pages. */
  total: number;
  messages: R[];
  /** null on the last page. */
  nextCursor: string | null;
  /** Where the next page begins now; null on the last page. */
  nextOffset: number | null;
  /**
   * For `ifState`, and for mailbox.changes, which tells what became of the messages of this page; null where it
   * could not.
   */
  state: string | null;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

export interface MessageListCalls {
  /**
   * A page of a folder: all messages or those that match, newest uid first or sorted.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  list<const F extends Fields = DefaultFields>(
    params: Anew<InSession<MessageListParams<F>>>,
    options?: CallOptions,
  ): Promise<MessageListResult<Row<MessageSummary, F>>>;
  /**
   * A page of a folder: all messages or those that match, newest uid first or sorted. With `ifState` it answers
   * `{ unchanged: true }` where nothing has changed since then.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  list<const F extends Fields = DefaultFields>(
    params: InSession<MessageListParams<F>>,
    options?: CallOptions,
  ): Promise<MessageListResult<Row<MessageSummary, F>> | Unchanged>;
}

export interface MessageListCallsInSession {
  /**
   * A page of a folder: all messages or those that match, newest uid first or sorted.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  list<const F extends Fields = DefaultFields>(
    params: Anew<MessageListParams<F>>,
    options?: CallOptions,
  ): Promise<MessageListResult<Row<MessageSummary, F>>>;
  /**
   * A page of a folder: all messages or those that match, newest uid first or sorted. With `ifState` it answers
   * `{ unchanged: true }` where nothing has changed since then.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  list<const F extends Fields = DefaultFields>(
    params: MessageListParams<F>,
    options?: CallOptions,
  ): Promise<MessageListResult<Row<MessageSummary, F>> | Unchanged>;
}
