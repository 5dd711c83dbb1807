import type { OnReadOpts, Socket } from 'node:net';

/** A transport of bytes to a server and back. The wire, or during the login its stream, sets both callbacks. */
export interface Carrier {
  /**
   * Takes received bytes. Their memory may be reused after the call: the receiver copies what it keeps.
   * @returns false to get no more before {@link resume}; bytes that were read already may still be delivered
   */
  onBytes: (bytes: Buffer) => boolean;
  /** Called once when no more bytes will come; the error is undefined where the other side ended cleanly. */
  onEnd: (error: Error | undefined) => void;
  write(data: string | Buffer): void;
  /** Holds written data back until {@link uncork}, so that it is sent together. */
  cork(): void;
  uncork(): void;
  resume(): void;
  /** Closes the transport at once. */
  close(): void;
}

/** The buffer of socket reads. All sockets share it: each read is processed before the next read of any socket. */
const readMemory = Buffer.allocUnsafeSlow(64 * 1024);

/** Milliseconds without traffic after which the operating system sends TCP keep-alive probes. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A carrier on a socket. Reads into a reused buffer: otherwise Node allocates memory for each 16 KiB of TLS, which
 * costs more than the bytes themselves when megabytes arrive.
 */
export class SocketCarrier implements Carrier {
  onBytes: Carrier['onBytes'] = () => true;
  onEnd: Carrier['onEnd'] = () => {};
  readonly socket: Socket;
  #ended = false;

  /**
   * @param open makes the socket with these options
   * @param shared whether the socket can read into the shared buffer: a socket that wraps another one cannot
   */
  constructor(open: (options: { onread?: OnReadOpts }) => Socket, shared: boolean) {
    const onread: OnReadOpts = {
      buffer: readMemory,
      callback: (size, memory) => this.onBytes(Buffer.from(memory.buffer, memory.byteOffset, size)),
    };
    this.socket = open(shared ? { onread } : {});
    if (!shared) this.socket.on('data', this.#onData);
    this.socket.on('error', (error) => this.#end(error));
    this.socket.once('end', () => this.#end(undefined));
    this.socket.once('close', () => this.#end(undefined));
  }

  readonly #onData = (bytes: Buffer) => {
    if (!this.onBytes(bytes)) this.socket.pause();
  };

  /** To be called when the socket is connected. */
  connected(): void {
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  write(data: string | Buffer): void {
    if (this.socket.writable) this.socket.write(data, 'latin1');
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  resume(): void {
    if (!this.#ended) this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  /** Hands the socket over: the caller reads from it from now on. */
  release(): Socket {
    this.#ended = true;
    this.socket.removeListener('data', this.#onData);
    return this.socket;
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(error);
  }
}
