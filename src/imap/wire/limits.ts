/**
 * Bounds on the memory and work that one IMAP server can cause, whatever it sends. A response over the limit of a
 * connection ends that connection with TOO_LARGE; an item over the limit of a row is cut, and listed in the row's
 * `unreadable`.
 * docs/security.md has the same table, and a test keeps both equal.
 */
export const wireLimits = {
  /** Bytes of one response without its literals; a SEARCH or SORT of a million hits has 8 MB. */
  lineBytes: 10 * 1024 * 1024,
  /**
   * Kept bytes of one response without its literals; what follows is skipped, and the response counts as damaged.
   * Lists of numbers, such as the hits of a SEARCH, are kept up to `lineBytes`.
   */
  keptBytes: 256 * 1024,
  /** Literals in one response. */
  literals: 20_000,
  /** Atoms, strings, literals and lists in one item of a FETCH response, or in one response of any other kind. */
  tokens: 20_000,
  /** Members of one list within an item of a FETCH response: addresses of a header, parts of a multipart. */
  members: 1_000,
  /** Lists within lists. */
  depth: 60,
  /** Characters of a human-readable text: of NO, BAD and BYE, and of response codes in errors. */
  textBytes: 1024,
  /** Bytes of a command without its literals. */
  commandBytes: 1024 * 1024,
  /** Unsolicited bytes that a server may send between commands, or during one IDLE. */
  unaskedBytes: 32 * 1024 * 1024,
  /** Unexpected continuation requests before the connection is closed. */
  strayContinuations: 100,
  /** Milliseconds of one turn of the event loop that reading from all servers together may take. */
  turnMs: 5,
  /** Before and during the login: bytes in all, bytes of one response, responses, continuation requests. */
  login: { bytes: 1024 * 1024, responseBytes: 128 * 1024, responses: 2_000, continuations: 8 },
} as const;
