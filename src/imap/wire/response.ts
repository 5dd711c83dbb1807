import type { ImapAttribute } from './tokens.js';

/** Status of a tagged response, or of an untagged one with a human-readable text (RFC 9051 section 7.1). */
export type Status = 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';

/** A response code with the text after it: `[UIDNEXT 5] Predicted`. */
export interface StatusText {
  /** The response code in upper case; undefined where there is none. */
  code: string | undefined;
  codeArgs: ImapAttribute[];
  /** Human-readable text, shortened to `wireLimits.textBytes`. */
  text: string;
}

/** An untagged response (RFC 9051 section 7). */
export interface UntaggedResponse {
  kind: 'untagged';
  /** In upper case, for instance `FETCH`. */
  keyword: string;
  /** The number before the keyword: a sequence number, or a count. */
  number: number | undefined;
  /** Attributes after the keyword. Empty for FETCH, THREAD and statuses, which have their own members. */
  attributes: ImapAttribute[];
  /** For FETCH: values by item in upper case, for instance `FLAGS` or `BODY[1.2]`. */
  items: ReadonlyMap<string, ImapAttribute>;
  /** For FETCH: items that exceed the limits of a row; their values are incomplete. */
  cut: readonly string[];
  /** For SEARCH and SORT: the numbers. */
  numbers: readonly number[];
  /** For OK, NO, BAD, BYE and PREAUTH. */
  status: StatusText | undefined;
  /** For THREAD: everything after the keyword. */
  raw: string;
  /** Whether the response could not be read to its end; what was read before that is valid. */
  damaged: boolean;
  /** Bytes of the response. */
  size: number;
}

/** The end of a command. */
export interface TaggedResponse {
  kind: 'tagged';
  tag: string;
  /** Status in upper case; any other than OK, NO and BAD violates the protocol. */
  status: string;
  text: StatusText;
  damaged: boolean;
}

/** A continuation request: the server waits for more of a command. */
export interface Continuation {
  kind: 'continuation';
}

export type Response = UntaggedResponse | TaggedResponse | Continuation;
