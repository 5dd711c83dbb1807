import { parentPort } from 'node:worker_threads';
import { type Asking, inThisThread } from '../support/healthy-place.js';
import type { Waits } from '../support/healthy-user.js';
import type { Done, Order } from './healthy-thread.js';

if (!parentPort) throw new Error('This is the program of a thread.');
const port = parentPort;
const place = await inThisThread();
let user: Asking | undefined;

async function obey({ what, args: [socket = '', token = '', server = ''] }: Order): Promise<Waits | undefined> {
  switch (what) {
    case 'enter':
      user = await place.enter(socket, token, server);
      return undefined;
    case 'start':
      user?.start();
      return undefined;
    case 'stop':
      return user?.stop();
    case 'close':
      await user?.close();
      return undefined;
    case 'end':
      await place.end();
      return undefined;
  }
}

port.on('message', (order: Order) => {
  const { id } = order;
  obey(order).then(
    (waits) => port.postMessage({ id, waits } satisfies Done),
    (error: unknown) => port.postMessage({ id, error: String(error) } satisfies Done),
  );
});
port.postMessage(place.port);
