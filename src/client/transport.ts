/** A WebSocket as the client needs it, of whatever platform. */
export interface Transport {
  send(frame: string | Uint8Array): void;
  /** Bytes that were handed over and have not left yet. */
  readonly bufferedBytes: number;
  close(): void;
  /** Ends without the closing handshake, for a peer that does not answer any more. */
  terminate(): void;
}

/** How a transport ended: its close code, the HTTP status of a refused upgrade, the network's complaint. */
export interface TransportEnd {
  code: number;
  refused?: number | undefined;
  complaint?: string | undefined;
}

/** What a transport tells. After `onClose` it tells nothing. */
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
