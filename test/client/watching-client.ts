import { onTestFinished } from 'vitest';
import { clientOn } from '../../src/client/client.js';
import type { ClientOptions, Watch, WatchEvent, WatchOptions } from '../../src/client/index.js';
import type { Transport } from '../../src/client/transport.js';
import { connectNode } from '../../src/client/transport-node.js';

/** A client whose sockets a test can cut. */
export function cuttable(options: Omit<ClientOptions, 'token'>) {
  const transports = new Set<Transport>();
  const sent: string[] = [];
  const client = clientOn(
    (target, events) => {
      const transport = connectNode(target, {
        ...events,
        onClose: (end) => {
          transports.delete(transport);
          events.onClose(end);
        },
      });
      transports.add(transport);
      const { send } = transport;
      transport.send = (frame) => {
        if (typeof frame === 'string') sent.push((JSON.parse(frame) as { method: string }).method);
        send(frame);
      };
      return transport;
    },
    { token: 'good', ...options },
  );
  onTestFinished(() => client.close());
  const cut = () => {
    for (const transport of transports) transport.terminate();
  };
  return { client, cut, sent };
}

/** The callbacks of a watch, noting what they are called with. */
export class Noted {
  readonly events: WatchEvent[] = [];
  readonly resyncs: string[][] = [];
  readonly ends: unknown[] = [];
  readonly errors: unknown[] = [];
  watch: Watch | undefined;
  readonly #waiting = new Set<() => void>();

  /** Numbers that the test gave its events. */
  get numbers(): number[] {
    return this.events.map((event) => (event.type === 'counts' ? event.counts.messages : -1));
  }

  get callbacks(): Pick<WatchOptions, 'onEvent' | 'onResync' | 'onEnd' | 'onError'> {
    return {
      onEvent: (event) => this.#note(this.events, event),
      onResync: (mailboxes) => this.#note(this.resyncs, mailboxes),
      onEnd: (error) => this.#note(this.ends, error),
      onError: (error) => this.#note(this.errors, error),
    };
  }

  /** Resolves as soon as the question is answered with yes, which is asked at each call. */
  until(question: (noted: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const ask = () => {
        if (!question(this)) return;
        this.#waiting.delete(ask);
        resolve();
      };
      this.#waiting.add(ask);
      ask();
    });
  }

  #note<T>(list: T[], one: T): void {
    list.push(one);
    for (const ask of this.#waiting) ask();
  }
}
