import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, CONNECTIONS_OF_USER } from './cluster.js';
import { costOf } from './economy.js';
import { type LoadReport, Visitors } from './visitors.js';

/** `npm run test:scale` takes longer, with more users and more events. */
const long = process.env.SCALE === 'long';
const USERS = long ? 50 : 12;
const PER_SECOND = long ? 100 : 30;
const SOCKET_SECONDS = long ? 15 : 5;
/**
 * Milliseconds until all users are where the next socket goes: sockets come of age, and connections are given back 5 s
 * later. Beside other tests HAProxy may find a busy broker down for a moment: its users' watches linger for a minute then,
 * until the next look of 15 s. There is time for two such moments.
 */
const SETTLED_MS = SOCKET_SECONDS * 1000 + (long ? 10_000 : 160_000);
/** Parts of an even share that a broker has at least and at most; of few users it may have any number but none. */
const [FEWEST, MOST] = long ? [0.6, 1.5] : [0.01, 3];
/** Milliseconds of load before an event and after it. */
const AROUND_MS = long ? 5_000 : 1_000;

let cluster: Cluster;
let visitors: Visitors;
beforeAll(async () => {
  cluster = await Cluster.start({ brokers: 2, socketSeconds: SOCKET_SECONDS });
  visitors = await Visitors.open(cluster, USERS);
}, 60_000);
afterAll(async () => {
  visitors?.close();
  await cluster?.stop();
});

/** The most connections that a user had at once, by the server's own count, until it is asked to end. */
function counting(): () => Promise<number> {
  let most = 0;
  let over = false;
  const work = (async () => {
    while (!over) {
      // A server that is down at the moment has no connections.
      const counts = await cluster.dovecot.who().catch(() => new Map<string, number>());
      most = Math.max(most, ...counts.values());
      await pause(250);
    }
  })();
  return async () => {
    over = true;
    await work;
    return most;
  };
}

/** The load goes on while something happens; then all that users were told is held against the server. */
async function during(what: string, event: () => Promise<void>, killed = false): Promise<LoadReport> {
  const [end, counted] = [visitors.load(what, PER_SECOND), counting()];
  await pause(AROUND_MS);
  await event();
  await pause(AROUND_MS);
  const report = await end();
  const most = await counted();
  const { requests, failed, again, slowestMs } = report;
  process.stdout.write(
    `${what}: ${requests} requests, ${failed.length} failed, sent again ${JSON.stringify(again)}, slowest ${Math.round(slowestMs)} ms, most connections of a user ${most}\n`,
  );
  expect(failed).toEqual([]);
  await visitors.verify({ killed });
  expect(most).toBeLessThanOrEqual(CONNECTIONS_OF_USER);
  return report;
}

/** Resolves when each user is at one broker, and each broker has its share of them; the load shows that where it is not idle. */
async function settled(after: string): Promise<void> {
  const end = visitors.load(`after ${after}`, PER_SECOND);
  const since = performance.now();
  try {
    await expect.poll(shares, { timeout: SETTLED_MS, interval: 250 }).toEqual({ users: USERS, uneven: [] });
    process.stdout.write(`${after}: each user is at one broker after ${Math.round(performance.now() - since)} ms\n`);
  } finally {
    expect((await end()).failed).toEqual([]);
  }
}

/** How the users are shared out; those of a broker are listed where they are too few or too many. */
async function shares(): Promise<{ users: number; uneven: string[][] }> {
  const users = await cluster.users();
  const even = USERS / users.length;
  const uneven = users.filter(({ length }) => length < FEWEST * even || length > MOST * even);
  return { users: users.flat().length, uneven };
}

describe('users of a site lose nothing, and log in once', () => {
  it('when a broker is added, which gets its share as sockets come of age', async () => {
    const { again } = await during('added', async () => {
      await cluster.run(2);
      await cluster.inService();
    });
    expect(again).toEqual({});
    await settled('added');
  }, 270_000);

  it('when all brokers are restarted one after the other', async () => {
    const { again } = await during('rolling restart', async () => {
      for (const index of [0, 1, 2]) {
        await cluster.kill(index, 'SIGTERM');
        await cluster.run(index);
        await cluster.inService();
      }
    });
    expect(again).toEqual({});
    await settled('rolling restart');
  }, 270_000);

  it('when a broker is killed and comes back', async () => {
    const { again } = await during(
      'killed',
      async () => {
        await cluster.kill(0);
        await cluster.run(0);
        await cluster.inService();
      },
      true,
    );
    expect(again).toEqual({});
    await settled('killed');
  }, 270_000);
});

if (long) {
  describe('users of a site lose nothing, and are moved to no other broker', () => {
    it('when the proxy is reloaded twice', async () => {
      const { again } = await during('proxy reloaded', async () => {
        await cluster.proxy.reload();
        await pause(AROUND_MS);
        await cluster.proxy.reload();
      });
      expect(again).toEqual({});
    }, 180_000);

    it('when the store that brokers share is started again, empty', async () => {
      const { again } = await during('store restarted', async () => {
        await cluster.redis.kill();
        await cluster.redis.run();
      });
      expect(again).toEqual({});
    }, 180_000);

    it('when the IMAP server is away for five seconds', async () => {
      await during('server away', async () => {
        await cluster.dovecot.kill();
        await pause(5_000);
        await cluster.dovecot.run();
      });
    }, 180_000);
  });

  it('three brokers ask no more of the IMAP server than one broker, for the same load', async () => {
    const [one, three] = [await costOf(1, USERS, PER_SECOND, 60_000), await costOf(3, USERS, PER_SECOND, 60_000)];
    process.stdout.write(`one broker: ${JSON.stringify(one)}, three brokers: ${JSON.stringify(three)}\n`);
    expect(three.commands).toBeLessThanOrEqual(one.commands * 1.02);
    expect(three.logins).toBeLessThanOrEqual(one.logins * 1.02);
  }, 300_000);
}
