import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import type { WatchEvent } from '../../src/protocol/events.js';
import { defaultFields, type Field } from '../../src/protocol/rows.js';
import { Hub, type HubLimits } from '../../src/watch/hub.js';
import type { AccountHandle, Beginning, Subscriber } from '../../src/watch/types.js';
import { FakeWatchers } from '../support/fake-watcher.js';

/** A socket that notes what it is sent. */
export class FakeSocket implements Subscriber {
  readonly frames: Array<{ method: string; params: WatchEvent }> = [];
  overruns = 0;
  readonly #onClose: Array<() => void> = [];

  /** Numbers of the events that came. */
  get seqs(): number[] {
    return this.frames.filter(({ method }) => method === 'event').map(({ params }) => params.seq);
  }

  send(frame: string): void {
    this.frames.push(JSON.parse(frame));
  }

  overrun(): void {
    this.overruns += 1;
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener);
  }

  close(): void {
    for (const listener of this.#onClose.splice(0)) listener();
  }
}

export const account = (key = 'k'): AccountHandle => ({
  key,
  slots: new NewestInSlot(),
  run: () => Promise.reject(new Error('no server')),
});

export interface Wish {
  key?: string;
  signal?: AbortSignal;
  epoch?: string;
  after?: number;
  fields?: readonly Field[];
}

/** A hub with watchers of the test, which ends with the test. */
export function hubWith(limits: Partial<HubLimits> = {}) {
  const watchers = new FakeWatchers();
  const hub = new Hub({ epoch: 'e1', startWatcher: watchers.start, limits, log: pino({ level: 'silent' }) });
  onTestFinished(() => hub.close());
  const begin = (subscriber: Subscriber, mailboxes: string[], wish: Wish = {}): Promise<Beginning> => {
    const { key, signal = new AbortController().signal, epoch = 'e1', after, fields = defaultFields } = wish;
    const resume = after === undefined ? {} : { resume: { epoch, after } };
    return hub.watch({ account: account(key), subscriber, mailboxes, fields, signal, ...resume });
  };
  /** Begins a watch, and answers its request at once. */
  const watch = async (subscriber: Subscriber, mailboxes: string[], wish?: Wish): Promise<Beginning> => {
    const beginning = await begin(subscriber, mailboxes, wish);
    beginning.settle(true);
    return beginning;
  };
  return { hub, watchers, begin, watch };
}
