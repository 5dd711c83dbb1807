import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { stubBroker } from './stub-broker.js';

/** What keeps the process alive, once handles that are being closed are gone. */
async function active(): Promise<string[]> {
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  return process.getActiveResourcesInfo().sort();
}

/** What is in one list more often than in the other: timers of the test runner itself may have ended meanwhile. */
function beyond(after: readonly string[], before: readonly string[]): string[] {
  const left = [...before];
  return after.filter((name) => {
    const index = left.indexOf(name);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

describe('a listener that was closed in mid-use', () => {
  it('leaves no timer and no handle behind', async () => {
    const before = await active();
    const { connect, listener } = await stubBroker({
      limits: { streamStallMs: 60_000, heartbeatMs: 60_000 },
      handlers: {
        'broker.ping': async ({ streams }) => {
          const stream = streams.open();
          stream.write(Buffer.alloc(1_000_000)).catch(() => {});
          return { stream: stream.id };
        },
        'message.append': async ({ streams }) => {
          for await (const _ of streams.accept(1));
          return {};
        },
        'rpc.discover': () => new Promise(() => {}),
      },
    });
    const clients = await Promise.all([connect(), connect(), connect()]);
    for (const client of clients) {
      client.ask('rpc.discover');
      client.ask('message.append', { session: 'live', mailbox: 'a', stream: 1, size: 5 });
      await client.request('broker.ping');
    }
    clients[0]?.ws.terminate();
    void clients[1]?.close();
    await listener.close();
    // The test runner may be reading a file just now.
    await expect.poll(async () => beyond(await active(), before)).toEqual([]);
  });
});
