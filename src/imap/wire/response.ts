import type { ImapAttribute } from './tokens.js';

/** Statuses of a tagged response, and of the untagged ones that carry a text for people (RFC 9051 section 7.1). */
export type Status = 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';

/** A response code with the text behind it: `[UIDNEXT 5] Predicted`. */
export interface StatusText {
  /** In upper case; undefined where there is none. */
  code: string | undefined;
  codeArgs: ImapAttribute[];
  /** For people, within the limits of an answer. */
  text: string;
}

/** An untagged response (RFC 9051 section 7). */
export interface UntaggedResponse {
  kind: 'untagged';
  /** In upper case, for instance `FETCH`. */
  keyword: string;
  /** The number before the keyword: a sequence number, or a count. */
  number: number | undefined;
  /** What follows the keyword. Empty for FETCH, THREAD and statuses, which have members of their own. */
  attributes: ImapAttribute[];
  /** Of FETCH: values by item in upper case, for instance `FLAGS` or `BODY[1.2]`. */
  items: ReadonlyMap<string, ImapAttribute>;
  /** Of FETCH: items that are over the limits of a row; what their value has is the beginning. */
  cut: readonly string[];
  /** Of SEARCH and SORT: their numbers. */
  numbers: readonly number[];
  /** Of OK, NO, BAD, BYE and PREAUTH. */
  status: StatusText | undefined;
  /** Of THREAD: all behind the keyword. */
  raw: string;
  /** The response could not be read to its end; what was read before stands. */
  damaged: boolean;
  /** Bytes of it. */
  size: number;
}

/** The end of a command. */
export interface TaggedResponse {
  kind: 'tagged';
  tag: string;
  /** In upper case; anything but OK, NO and BAD is against the protocol. */
  status: string;
  text: StatusText;
  damaged: boolean;
}

/** A continuation request: the server waits for more of a command. */
export interface Continuation {
  kind: 'continuation';
}

export type Response = UntaggedResponse | TaggedResponse | Continuation;
