import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from './cluster.js';
import { Visitors } from './visitors.js';

/** `npm run test:scale` takes longer, with more users. */
const long = process.env.SCALE === 'long';
const USERS = long ? 50 : 12;
const APPENDS_EACH = long ? 10 : 15;
const STOPPED_MS = long ? 20_000 : 14_000;
const CUTS = long ? 30 : 3;

let cluster: Cluster;
let visitors: Visitors;
beforeAll(async () => {
  cluster = await Cluster.start();
  visitors = await Visitors.open(cluster, USERS);
}, 60_000);
afterAll(async () => {
  visitors?.close();
  await cluster?.stop();
});

/** All users store messages while `disturb` does its work. @returns milliseconds of the slowest append */
async function appending(what: string, disturb: () => Promise<void>): Promise<number> {
  const work = visitors.append(what, APPENDS_EACH);
  await pause(200);
  const [slowest] = await Promise.all([work, disturb()]);
  const appends = USERS * APPENDS_EACH;
  process.stdout.write(`${what}: ${appends} keyed appends of ${USERS} users, the slowest ${Math.round(slowest)} ms\n`);
  return slowest;
}

describe('three brokers of which one fails', () => {
  it('lose and double no keyed append and no event when it is killed, and no user logs in again', async () => {
    const slowest = await appending('killed', async () => {
      await cluster.kill(0);
      await cluster.run(0);
    });
    await visitors.verify();
    expect(slowest).toBeLessThan(20_000);
  }, 120_000);

  it('nor when it stands still for longer than a key is held', async () => {
    const slowest = await appending('stopped', async () => {
      cluster.signal(1, 'SIGSTOP');
      await pause(STOPPED_MS);
      cluster.signal(1, 'SIGCONT');
    });
    await visitors.verify();
    expect(slowest).toBeLessThan(20_000);
  }, 120_000);

  it('nor when the proxy is killed, which cuts all sockets', async () => {
    await appending('cut', async () => {
      for (let cut = 0; cut < CUTS; cut += 1) {
        await cluster.proxy.restart();
        await pause(300);
      }
    });
    await visitors.verify();
  }, 120_000);
});
