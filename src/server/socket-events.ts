import type { Events } from '../methods/context.js';
import type { Subscriber } from '../watch/types.js';

/** The events of one request. */
export interface RequestEvents extends Events {
  /** The request was answered, with a result or not. */
  settle(ok: boolean): void;
}

/** One socket as a receiver of events. */
export class SocketEvents implements Subscriber {
  readonly #socket: Pick<Subscriber, 'send' | 'overrun'>;
  readonly #onClose: Array<() => void> = [];
  #closed = false;

  constructor(socket: Pick<Subscriber, 'send' | 'overrun'>) {
    this.#socket = socket;
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  overrun(): void {
    this.#socket.overrun();
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#onClose.push(listener);
  }

  forRequest(): RequestEvents {
    const listeners: Array<(ok: boolean) => void> = [];
    let settled = false;
    return {
      subscriber: this,
      whenSettled: (listener) => {
        // The handler ran past its deadline: the caller never heard of the watch that the handler began.
        if (settled) listener(false);
        else listeners.push(listener);
      },
      settle: (ok) => {
        settled = true;
        for (const listener of listeners.splice(0)) listener(ok);
      },
    };
  }

  /** The socket is gone. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#onClose.splice(0)) listener();
  }
}
