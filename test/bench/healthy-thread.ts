import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { HealthyPlace } from '../support/healthy-place.js';
import type { Waits } from '../support/healthy-user.js';

/** What the thread is asked to do, and with what. */
export interface Order {
  id: number;
  what: 'enter' | 'start' | 'stop' | 'close' | 'end';
  args: string[];
}

export interface Done {
  id: number;
  waits?: Waits | undefined;
  error?: string;
}

/**
 * A healthy server and its user in a thread of their own: while this one makes what a hostile server sends, it stands
 * still, and would take that for a wait at the broker.
 */
export async function inAnotherThread(): Promise<HealthyPlace> {
  const worker = new Worker(new URL('healthy-worker.js', import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  const waiting = new Map<number, (done: Done) => void>();
  worker.on('message', (done: Done) => waiting.get(done.id)?.(done));
  let orders = 0;
  const order = async (what: Order['what'], ...args: string[]) => {
    orders += 1;
    const id = orders;
    const answer = new Promise<Done>((resolve) => waiting.set(id, resolve));
    worker.postMessage({ id, what, args } satisfies Order);
    const { waits, error } = await answer;
    waiting.delete(id);
    if (error !== undefined) throw new Error(error);
    return waits;
  };
  return {
    port,
    enter: async (...args) => {
      await order('enter', ...args);
      return {
        start: () => void order('start'),
        stop: async () => (await order('stop')) as Waits,
        close: async () => void (await order('close')),
      };
    },
    end: async () => {
      await order('end');
      await worker.terminate();
    },
  };
}
