// The program of AskingProcess: users of several ways to the brokers, who ask when they are told to.
import { type Client, createClient } from '../../src/client/index.js';
import type { Asked, Done, Order, Told } from './asking-process.js';
import { AGED, BrokerWay } from './broker-way.js';
import { timed } from './measure.js';
import { median, quantile } from './statistics.js';

const SHARDS = 32;

interface Way {
  client: Client;
  users: BrokerWay[];
}

const ways = new Map<string, Way>();
/** Milliseconds of each request. */
const times = new Map<string, number[]>();

async function enter({ way, url, users, password }: Extract<Order, { what: 'enter' }>): Promise<void> {
  const client = createClient({ url, token: 'webmail', shards: SHARDS, maxPending: 10_000 });
  const open = (user: string) => BrokerWay.open(client, 'main', user, password);
  const opened = await Promise.all(users.map(open));
  await Promise.all(opened.map((user) => user.index()));
  ways.set(way, { client, users: opened });
}

const actions: Record<Asked, (way: Way, user: BrokerWay) => Promise<unknown>> = {
  list: (_, user) => user.index(),
  'list, aged': (_, user) => user.index(AGED),
  ping: ({ client }) => client.broker.ping(),
};

/** Each caller is a user of its own, and asks again as soon as it is answered. */
async function ask({ way: name, asked, requests, callers }: Extract<Order, { what: 'ask' }>): Promise<void> {
  const way = ways.get(name);
  if (!way || callers > way.users.length) throw new Error(`Too few users have entered by ${name}.`);
  const found = times.get(key(name, asked, callers)) ?? [];
  times.set(key(name, asked, callers), found);
  let left = requests;
  const caller = async (user: BrokerWay) => {
    while (left > 0) {
      left -= 1;
      found.push(await timed(() => actions[asked](way, user)));
    }
  };
  await Promise.all(way.users.slice(0, callers).map(caller));
}

function tell({ way, asked, callers }: Extract<Order, { what: 'tell' }>): Told {
  const found = times.get(key(way, asked, callers)) ?? [];
  times.delete(key(way, asked, callers));
  return { requests: found.length, medianMs: median(found), p95Ms: quantile(found, 0.95) };
}

const key = (...parts: (string | number)[]) => parts.join(', ');

async function obey(order: Order): Promise<Told | undefined> {
  switch (order.what) {
    case 'enter':
      await enter(order);
      return undefined;
    case 'ask':
      await ask(order);
      return undefined;
    case 'tell':
      return tell(order);
  }
}

process.on('message', (order: Order) => {
  const reply = (done: Done) => process.send?.(done);
  obey(order).then(
    (told) => reply(told === undefined ? {} : { told }),
    (error: unknown) => reply({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(1));
