// Written by `npm run docs` from src/protocol.

/** Which messages are meant: all that is named must hold. */
export interface Criteria {
  /** Anywhere in headers or body. */
  text?: string | undefined;
  /** In the body. */
  body?: string | undefined;
  /** In the subject. */
  subject?: string | undefined;
  /** In the From header: a name or an address, or a part of it. */
  from?: string | undefined;
  /** In the To header. */
  to?: string | undefined;
  /** In the Cc header. */
  cc?: string | undefined;
  /** In the Bcc header. */
  bcc?: string | undefined;
  /** In another header. */
  header?:
    | {
        /** Name of the header. */
        name: string;
        /** Empty: the header is present. */
        value: string;
      }
    | undefined;
  /** With the flag \Seen, or without it. */
  seen?: boolean | undefined;
  /** With the flag \Answered, or without it. */
  answered?: boolean | undefined;
  /** With the flag \Flagged, or without it. */
  flagged?: boolean | undefined;
  /** With the flag \Deleted, or without it. */
  deleted?: boolean | undefined;
  /** With the flag \Draft, or without it. */
  draft?: boolean | undefined;
  /** With this keyword. */
  keyword?: string | undefined;
  /** Without this keyword. */
  notKeyword?: string | undefined;
  /** Bytes. */
  largerThan?: number | undefined;
  /** Bytes. */
  smallerThan?: number | undefined;
  /** Internal date, that day or later (the day is the server’s). */
  receivedSince?: string | undefined;
  /** Internal date, before that day. */
  receivedBefore?: string | undefined;
  /** Internal date, that day. */
  receivedOn?: string | undefined;
  /** Date header, that day or later. */
  sentSince?: string | undefined;
  /** Date header, before that day. */
  sentBefore?: string | undefined;
  /** Date header, that day. */
  sentOn?: string | undefined;
  /** Put into the folder on that day or later (SAVEDATE, RFC 8514). */
  savedSince?: string | undefined;
  /** Put into the folder before that day (SAVEDATE). */
  savedBefore?: string | undefined;
  /** Put into the folder on that day (SAVEDATE). */
  savedOn?: string | undefined;
  /** Internal date at most so long ago (WITHIN, RFC 5032; without it the broker compares, by its own clock). */
  youngerThanSeconds?: number | undefined;
  /** Internal date at least so long ago (WITHIN, else the broker compares). */
  olderThanSeconds?: number | undefined;
  /** Uids of messages in the folder, 1 to 10000. */
  uids?: readonly number[] | undefined;
  /** Uids in any of these ranges. */
  uidRanges?:
    | readonly {
        /** Uid of the message in its folder. */
        from: number;
        /** Inclusive, not below `from`; without it up to the newest message. */
        to?: number | undefined;
      }[]
    | undefined;
  /** Uids above this one: all that came after it. */
  uidAfter?: number | undefined;
  /** Changed with this mod-sequence or a later one; decimal digits (CONDSTORE, RFC 7162). */
  modseqSince?: string | undefined;
  /** The message of this EMAILID (OBJECTID, RFC 8474), or of this X-GM-MSGID on Gmail. */
  emailId?: string | undefined;
  /** Messages of this THREADID (OBJECTID), or of this X-GM-THRID on Gmail. */
  threadId?: string | undefined;
  /** Messages with this label (Gmail). */
  label?: string | undefined;
  /** A search in the words of Gmail, such as `has:attachment in:unread` (X-GM-RAW, Gmail). */
  gmailRaw?: string | undefined;
  /** All of these must hold. */
  and?: readonly Criteria[] | undefined;
  /** At least one of these must hold. */
  or?: readonly Criteria[] | undefined;
  /** These must not hold. */
  not?: Criteria | undefined;
  /** Matched loosely, as the server understands it (SEARCH=FUZZY, RFC 6203), else exactly. */
  fuzzy?: Criteria | undefined;
}

/** What messages of a folder are sorted by. */
export interface Sort {
  /** arrival: the internal date; date: the Date header. */
  by: 'arrival' | 'date' | 'from' | 'to' | 'cc' | 'subject' | 'size' | 'uid';
  /** The greatest first, or the latest. Default: `false`. */
  descending?: boolean | undefined;
}

/** What messages of several folders are sorted by. */
export interface SortOverFolders {
  by: 'arrival' | 'date' | 'from' | 'to' | 'cc' | 'subject' | 'size';
  /** The greatest first, or the latest. Default: `false`. */
  descending?: boolean | undefined;
}
