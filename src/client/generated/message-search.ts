// Written by `npm run docs` from src/protocol.

import type { CallOptions, InSession } from '../calls.js';
import type { DefaultFields, Fields, Row } from '../rows.js';
import type { Criteria, SortOverFolders } from './criteria.js';
import type { Explanation, FoundMessage, Meta, ReadParams } from './models.js';

/** Parameters of message.search. */
export interface MessageSearchParams<F extends Fields = Fields> extends ReadParams {
  /**
   * Names of 1 to 200 folders; {below: name} for the folder of that name and all below it; "subscribed"; or
   * "all", every folder that can hold messages, Trash and Junk too. Where the server has a folder with all
   * messages (Gmail), "all" searches that one, Trash and Junk alone, because the others show the same messages
   * again.
   */
  mailboxes:
    | readonly string[]
    | {
        /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
        below: string;
      }
    | 'all'
    | 'subscribed';
  /** What the messages have to meet; default: all messages. */
  filter?: Criteria | undefined;
  /** The order of the messages of all folders. Default: newest first, by internal date. */
  sort?: readonly SortOverFolders[] | undefined;
  /** Rows in a page. Default: `50`. */
  limit?: number | undefined;
  /** The nextCursor of the page before; opaque. Not together with offset. */
  cursor?: string | undefined;
  /** Hits to pass over. */
  offset?: number | undefined;
  /** Answers total, without messages. Default: `false`. */
  countOnly?: boolean | undefined;
  /**
   * Members of each row beside uid, mailbox and uidValidity; empty for those alone. Default:
   * `["envelope","flags","size","internalDate"]`.
   */
  fields?: F | undefined;
}

/** What message.search answers. */
export interface MessageSearchResult<R extends FoundMessage = FoundMessage> {
  /** Hits in all folders that were searched. */
  total: number;
  /** Messages that are gone since the order was made are left out. */
  messages: R[];
  /** null on the last page. */
  nextCursor: string | null;
  /** null on the last page. */
  nextOffset: number | null;
  /**
   * Folders that were left out, each once: the deadline came before them, or the server refused to open or to
   * search them.
   */
  incomplete: string[];
  /** Number of folders that were searched. */
  searched: number;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

export interface MessageSearchCalls {
  /**
   * Finds messages in several folders by criteria, in one order; the server sorts where it can.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  search<const F extends Fields = DefaultFields>(
    params: InSession<MessageSearchParams<F>>,
    options?: CallOptions,
  ): Promise<MessageSearchResult<Row<FoundMessage, F>>>;
}

export interface MessageSearchCallsInSession {
  /**
   * Finds messages in several folders by criteria, in one order; the server sorts where it can.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE, UNSUPPORTED
   */
  search<const F extends Fields = DefaultFields>(
    params: MessageSearchParams<F>,
    options?: CallOptions,
  ): Promise<MessageSearchResult<Row<FoundMessage, F>>>;
}
