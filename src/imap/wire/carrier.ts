import type { OnReadOpts, Socket } from 'node:net';

/** What takes bytes to a server and back. The wire, or before that the stream of the login, sets both functions. */
export interface Carrier {
  /**
   * Takes bytes. Their memory may be used again after the call: the receiver copies what it keeps.
   * @returns false to get no more before {@link resume}; bytes that were read already may come all the same
   */
  onBytes: (bytes: Buffer) => boolean;
  /** Hears once that nothing more will come; the error is undefined where the other side ended in order. */
  onEnd: (error: Error | undefined) => void;
  write(data: string | Buffer): void;
  /** Holds back what is written until {@link uncork}, so that it travels together. */
  cork(): void;
  uncork(): void;
  resume(): void;
  /** Ends it at once. */
  close(): void;
}

/** What one read of a socket can bring. All sockets share it: what it holds is taken before the next read of any. */
const readMemory = Buffer.allocUnsafeSlow(64 * 1024);

/** Milliseconds without traffic after which the operating system asks whether the other side is there. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A socket. It reads into memory that is used again: Node allocates some for each 16 KiB of TLS, which costs more than the
 * bytes themselves when megabytes come.
 */
export class SocketCarrier implements Carrier {
  onBytes: Carrier['onBytes'] = () => true;
  onEnd: Carrier['onEnd'] = () => {};
  readonly socket: Socket;
  #ended = false;

  /**
   * @param open makes the socket with these options
   * @param shared whether it can read into shared memory: what wraps another socket cannot
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

  /** Gives the socket away: its new holder reads it from now on. */
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
