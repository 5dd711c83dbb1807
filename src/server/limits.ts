/** Bounds of sockets; `broker.hello` tells those that a caller must know. */
export interface SocketLimits {
  sockets: number;
  /** Largest frame that is taken, in bytes. */
  frameBytes: number;
  /** Largest answer that is sent, in bytes; a larger one becomes TOO_LARGE. */
  answerBytes: number;
  /** Unanswered requests of one socket. */
  pendingRequests: number;
  /** Open streams of one socket. */
  streams: number;
  /** Deadline of a request that names none, in milliseconds. */
  defaultTimeoutMs: number;
  heartbeatMs: number;
  /** Milliseconds after which a socket is drained, less up to half at random, so that a proxy places the next one anew. */
  ageMs: number;
  /** Milliseconds within which users who stay at this broker have a new socket in place of one that came of age. */
  movedMs: number;
  /** Milliseconds that a stream may stand still. */
  streamStallMs: number;
  /** Bytes waiting to be sent above which streams of a socket pause. */
  pauseAboveBytes: number;
  /** Bytes waiting to be sent above which a socket is closed with 1013. */
  closeAboveBytes: number;
}

export const defaultSocketLimits: SocketLimits = {
  sockets: 1000,
  frameBytes: 2 * 1024 * 1024,
  answerBytes: 8 * 1024 * 1024,
  pendingRequests: 256,
  streams: 32,
  defaultTimeoutMs: 30_000,
  heartbeatMs: 30_000,
  ageMs: 900_000,
  movedMs: 5_000,
  streamStallMs: 20_000,
  pauseAboveBytes: 1024 * 1024,
  closeAboveBytes: 8 * 1024 * 1024,
};
