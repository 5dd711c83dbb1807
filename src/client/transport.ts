/** A WebSocket as the client needs it, of whatever platform. */
export interface Transport {
  /** Calls back when the frame has left, or never will. */
  send(frame: string | Uint8Array, onSent?: () => void): void;
  /** Bytes that were handed over and have not left yet. */
  readonly bufferedBytes: number;
  /** Ends with the closing handshake, which a peer is given a moment for. */
  close(): void;
  /** Ends at once, for a peer that does not answer any more; or with a close code for one that broke the protocol. */
  terminate(code?: number): void;
}

/** How a transport ended. */
export interface TransportEnd {
  /** Close code of the WebSocket. */
  code: number;
  /** HTTP status of a refused upgrade. */
  refused?: number | undefined;
  /** What the network or the WebSocket complained of. */
  cause?: Error | undefined;
  /** Whether the peer sent what is no WebSocket frame, or too large a one. */
  malformed: boolean;
}

/** The events of a transport; none follows `onClose`. */
export interface TransportEvents {
  onOpen(): void;
  onText(text: string): void;
  onBinary(bytes: Uint8Array): void;
  /** The peer gave a sign of life that is no frame. */
  onPing(): void;
  onClose(end: TransportEnd): void;
}

/** Opens a WebSocket with the subprotocol and the bearer token, where there is one. */
export type Connect = (target: { url: string; token?: string | undefined }, events: TransportEvents) => Transport;
