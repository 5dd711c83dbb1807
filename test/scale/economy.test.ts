import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Cluster } from './cluster.js';
import { Visitors } from './visitors.js';

/** `npm run test:scale` takes longer, with more users. */
const long = process.env.SCALE === 'long';
const USERS = long ? 50 : 12;
const PER_SECOND = long ? 100 : 30;
const LOAD_MS = long ? 60_000 : 3_000;
/** In a few seconds beside other tests it is chance how often a watch goes back to its IDLE. */
const MOST = long ? 1.02 : 1.1;

/** What the IMAP server was asked for by a load that is the same each time. */
async function cost(brokers: number): Promise<{ commands: number; logins: number; kinds: Record<string, number> }> {
  const cluster = await Cluster.start({ brokers });
  try {
    const visitors = await Visitors.open(cluster, USERS);
    const end = visitors.load('economy', PER_SECOND);
    await pause(LOAD_MS);
    expect((await end()).failed).toEqual([]);
    visitors.close();
    const kinds = Object.fromEntries([...cluster.commands].sort());
    const commands = [...cluster.commands.values()].reduce((sum, count) => sum + count, 0);
    return { commands, logins: await cluster.dovecot.logins(), kinds };
  } finally {
    await cluster.stop();
  }
}

it('three brokers ask no more of the IMAP server than one broker, for the same load', async () => {
  const [one, three] = [await cost(1), await cost(3)];
  process.stdout.write(`one broker: ${JSON.stringify(one)}\nthree brokers: ${JSON.stringify(three)}\n`);
  expect(three.commands).toBeLessThanOrEqual(one.commands * MOST);
  expect(three.logins).toBeLessThanOrEqual(one.logins * MOST);
}, 300_000);
