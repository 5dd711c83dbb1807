import { encodeStreamFrame, type StreamFrame, StreamFrameType } from '../../protocol/frames.js';
import type { RpcError } from '../errors.js';
import { Download } from './download.js';
import { Violation } from './incoming.js';
import { Upload } from './upload.js';

/** What streams need of their socket. */
export interface StreamSocket {
  sendJson(frame: unknown): void;
  send(frame: Uint8Array): void;
  /** As `send`; answers a promise to wait for where much lies unsent. */
  sendPaced(frame: Uint8Array): Promise<void> | undefined;
  /** A stream has ended. */
  onEnd(): void;
}

/** All streams of one socket: downloads have the broker's even ids, uploads the client's odd ones. */
export class Streams {
  readonly #socket: StreamSocket;
  readonly #downloads = new Map<number, Download>();
  readonly #uploads = new Map<number, Upload>();
  /** The greatest id that an answer named; frames up to there may be of streams that have ended. */
  #lastDownload = 0;
  #lastUpload = -1;

  constructor(socket: StreamSocket) {
    this.#socket = socket;
  }

  get open(): number {
    return this.#downloads.size + this.#uploads.size;
  }

  /** The stream that an answer names; its frames may be right behind the answer. @throws Violation for an odd or used id */
  download(id: number): Download {
    if (id % 2 === 1 || this.#downloads.has(id))
      throw new Violation(`stream ${id} of an answer, which is not a new one`);
    this.#lastDownload = Math.max(this.#lastDownload, id);
    const wire = {
      credit: (bytes: number) => {
        this.#socket.sendJson({ jsonrpc: '2.0', method: '$/credit', params: { stream: id, bytes } });
      },
      abort: () => this.#socket.send(encodeStreamFrame(StreamFrameType.ABORT, id)),
    };
    const download = new Download(wire, () => {
      this.#downloads.delete(id);
      this.#socket.onEnd();
    });
    this.#downloads.set(id, download);
    return download;
  }

  /** A new upload; its frames go out when the upload is run. */
  upload(content: ReadableStream<Uint8Array>): Upload {
    this.#lastUpload += 2;
    const upload = new Upload(this.#lastUpload, content, { send: (frame) => this.#socket.sendPaced(frame) });
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  endUpload(upload: Upload): void {
    upload.stop();
    this.#uploads.delete(upload.id);
    this.#socket.onEnd();
  }

  /** @throws Violation for a stream that never was, or for more than its credit */
  receive(frame: StreamFrame): void {
    const { stream, type } = frame;
    this.#checkKnown(stream);
    const isUpload = stream % 2 === 1;
    if (isUpload && type !== StreamFrameType.ABORT)
      throw new Violation(`bytes for stream ${stream}, which is an upload`);
    if (isUpload) this.#uploads.get(stream)?.stop();
    else this.#downloads.get(stream)?.receive(frame);
  }

  /** The broker takes more of an upload. @throws Violation for a stream that is none */
  credit(stream: number, bytes: number): void {
    this.#checkKnown(stream);
    if (stream % 2 === 0) throw new Violation(`credit for stream ${stream}, which is a download`);
    this.#uploads.get(stream)?.addCredit(bytes);
  }

  /** The socket has ended. */
  fail(error: RpcError): void {
    for (const download of [...this.#downloads.values()]) download.fail(error);
    for (const upload of this.#uploads.values()) upload.stop();
  }

  #checkKnown(stream: number): void {
    const isKnown = stream > 0 && stream <= (stream % 2 === 0 ? this.#lastDownload : this.#lastUpload);
    if (!isKnown) throw new Violation(`a frame for stream ${stream}, which never was`);
  }
}
