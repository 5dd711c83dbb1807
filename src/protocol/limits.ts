/**
 * Bounds that are part of the protocol, the same for every broker and every client.
 * Bounds that an operator may change are told in `broker.hello` instead.
 */
export const protocolLimits = {
  /** Bytes of payload in one binary frame. */
  streamPayloadBytes: 64 * 1024,
  /** Bytes of credit that each new stream has before its first `$/credit`. */
  streamInitialCreditBytes: 256 * 1024,
  /** Milliseconds that a stream may wait for credit, or for the sender's data, before it is aborted. */
  streamStallMs: 20_000,
  /** Folders that one `message.search` may name. */
  searchedFolders: 200,
  /** Uids in one request. */
  uidsPerRequest: 10_000,
  /** Ranges of a set of uids in one request, and characters of a set that is written as a string. */
  uidRanges: 10_000,
  uidSetCharacters: 64 * 1024,
  /** Uids in each list of `mailbox.changes`; `unknown` tells of others. */
  changedUids: 20_000,
  /** Messages in one page of `message.list` or `message.search`; conversations in one of `message.threads`. */
  pageSize: 500,
  /** Messages in one page of `message.list` where uids alone are asked for (`fields: []`). */
  uidsPerPage: 10_000,
  /** Messages that the broker sorts itself, where the IMAP server has no SORT. */
  sortedMessages: 200_000,
  /** Decoded bytes of a part or source that may be asked for inline, and of a message appended inline. */
  inlineBytes: 1024 * 1024,
  /** Characters in a folder name. */
  mailboxNameLength: 1000,
  /** Milliseconds; the longest deadline that a request may ask for. */
  timeoutMs: 600_000,
  /** Milliseconds; the greatest age that a request may allow. */
  maxAgeMs: 86_400_000,
  /** Folders that one socket may watch, of all of its accounts. */
  watchedPerSocket: 1000,
  /** Folders of one account that may be watched, by all sockets together, and in one request. */
  watchedPerAccount: 100,
  /** Messages in one `event` of type new; `more` tells of others. */
  eventMessages: 50,
  /** Names in each list of an `event` of type folders. */
  eventFolders: 1000,
  /** Messages in one `event` of type changed. */
  eventFlags: 500,
} as const;

/** The WebSocket subprotocol that both sides must offer. */
export const subprotocol = 'imap-broker.v1';

/** Why the broker closes a WebSocket (RFC 6455 section 7.4). */
export const closeCodes = {
  GOING_AWAY: { code: 1001, meaning: 'The broker drains and stops.' },
  RESTART: { code: 1012, meaning: 'The broker restarts; connect again.' },
  TOO_LARGE: { code: 1009, meaning: 'A frame is over the size limit told in broker.hello.' },
  OVERLOAD: { code: 1013, meaning: 'The reader is too slow or the broker is full; connect again later.' },
  KICKED: { code: 4410, meaning: 'An operator closed the socket; connect again.' },
  STOOD_STILL: {
    code: 4412,
    meaning: 'The broker stood still for some seconds and has cancelled what waited; connect again.',
  },
  BAD_FRAME: { code: 4400, meaning: 'A binary frame is malformed, or too many text frames were.' },
  FLOOD: { code: 4429, meaning: 'Requests kept coming although they were refused with RATE_LIMITED.' },
  NO_PONG: { code: 4408, meaning: 'The peer did not answer a heartbeat in time.' },
} as const;
