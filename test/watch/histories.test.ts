import fc from 'fast-check';
import type { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { WatchEvent } from '../../src/protocol/events.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { type Relay, startRelay } from '../support/relay.js';
import { RawClient, runBroker } from '../support/running-broker.js';

const { WATCH_RUNS = '300' } = process.env;
const LANES = 6;
const dialects = [undefined, 'IMAP4rev1 ENABLE IDLE UIDPLUS CONDSTORE', 'IMAP4rev1 IDLE UIDPLUS'];

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      folder: fc.nat(1),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('flag' as const),
      folder: fc.nat(1),
      at: fc.nat(),
      flag: fc.constantFrom('\\Seen', '\\Flagged'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('expunge' as const), folder: fc.nat(1), at: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('click' as const), folder: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a listener knows who hears nothing but events. */
class Listener {
  readonly folders = new Map<string, Map<number, string>>();
  readonly faults: string[] = [];
  readonly #gone = new Set<string>();
  #seq = 0;

  take(event: WatchEvent): void {
    if (event.type === 'folders') return;
    const folder = this.folders.get(event.mailbox);
    if (!folder) return;
    if (event.seq <= this.#seq) this.faults.push(`number ${event.seq} behind ${this.#seq}`);
    this.#seq = event.seq;
    if (event.type === 'new') {
      for (const { uid, flags = [] } of event.messages) {
        if (folder.has(uid)) this.faults.push(`${event.mailbox}: ${uid} is told to be new twice`);
        folder.set(uid, JSON.stringify(flags));
      }
    } else if (event.type === 'changed') {
      for (const { uid, flags } of event.messages) {
        if (!folder.has(uid)) this.faults.push(`${event.mailbox}: ${uid} changed before it was there`);
        if (folder.get(uid) === JSON.stringify(flags))
          this.faults.push(`${event.mailbox}: ${uid} changed to what it was`);
        folder.set(uid, JSON.stringify(flags));
      }
    } else if (event.type === 'vanished') {
      for (const uid of event.uids) {
        // Not each has been told to be new: a list may have shown it.
        folder.delete(uid);
        const name = `${event.mailbox}: ${uid}`;
        if (this.#gone.has(name)) this.faults.push(`${name} is gone twice`);
        this.#gone.add(name);
      }
    } else if (event.type === 'reset') {
      this.faults.push(`${event.mailbox} was reset`);
    }
  }
}

interface Lane {
  dovecot: Dovecot;
  relay: Relay;
  broker: Broker & { url: string };
  client: RawClient;
  session: string;
  other: ImapFlow;
  listener: Listener;
  histories: number;
}

const lanes: Lane[] = [];
beforeAll(async () => {
  for (let index = 0; index < LANES; index += 1) {
    const imapCapability = dialects[index % dialects.length];
    const dovecot = await Dovecot.start({ ...(imapCapability && { imapCapability }), settings: promptIdle });
    const relay = await startRelay(dovecot.tlsPort);
    const broker = await runBroker(dovecot, {
      servers: [{ ...dovecot.server(), port: relay.port, loginsPerSecond: 10_000 }],
      watchTimes: { heartbeatMs: 60_000, pollMs: 40, quietMs: 5, retryMs: 5, stayMs: 0 },
      // A connection that is cut is none that the server turned away.
      pool: { stayMs: 0 },
      // Folders of the histories before would be looked at all the time.
      watches: { lingerMs: 100 },
    });
    const client = await RawClient.open(broker.url);
    const user = newUser();
    const listener = new Listener();
    client.onNotification(({ method, params }) => {
      if (method === 'event') listener.take(params as unknown as WatchEvent);
    });
    const session = await client.login(user);
    lanes.push({ dovecot, relay, broker, client, session, other: await dovecot.client(user), listener, histories: 0 });
  }
});
afterAll(async () => {
  for (const { client, broker, relay, dovecot } of lanes) {
    await client.close();
    await broker.stop();
    await relay.close();
    await dovecot.stop();
  }
});

/** Uids and flags as the server has them. */
async function there(other: ImapFlow, mailbox: string): Promise<Map<number, string>> {
  await other.mailboxOpen(mailbox);
  const found = new Map<number, string>();
  if (other.mailbox && other.mailbox.exists === 0) return found;
  for (const { uid, flags } of await other.fetchAll('1:*', { uid: true, flags: true })) {
    found.set(uid, JSON.stringify([...(flags ?? [])].filter((flag) => flag !== '\\Recent').sort()));
  }
  return found;
}

async function take(lane: Lane, names: readonly string[], one: Step): Promise<void> {
  const { other, client, session, relay } = lane;
  const mailbox = ('folder' in one && names[one.folder]) || '';
  const pick = async (at: number) => {
    const uids = [...(await there(other, mailbox)).keys()];
    return uids[at % Math.max(1, uids.length)];
  };
  switch (one.do) {
    case 'append':
      for (let count = 0; count < one.count; count += 1) await other.append(mailbox, message());
      break;
    case 'flag': {
      const uid = await pick(one.at);
      if (uid !== undefined) await other.messageFlagsAdd(String(uid), [one.flag], { uid: true });
      break;
    }
    case 'expunge': {
      const uid = await pick(one.at);
      if (uid !== undefined) await other.messageDelete(String(uid), { uid: true });
      break;
    }
    case 'cut':
      relay.cut();
      break;
    case 'click':
      client.request('message.list', { session, mailbox });
      break;
    case 'wait':
      await new Promise((resolve) => setTimeout(resolve, one.ms));
  }
}

/** Lets a history happen to two new folders, and waits until the listener knows what is there. */
async function happen(lane: Lane, steps: readonly Step[]): Promise<void> {
  const { other, client, session, listener } = lane;
  lane.histories += 1;
  const names = ['a', 'b'].map((letter) => `h${lane.histories}${letter}`);
  for (const name of names) await other.mailboxCreate(name);
  for (const name of names) listener.folders.set(name, new Map());
  await client.call('watch.start', { session, mailboxes: names });
  for (const one of steps) await take(lane, names, one);
  for (const name of names) {
    const expected = await there(other, name);
    await expect
      .poll(() => new Map([...(listener.folders.get(name) ?? [])].sort(([a], [b]) => a - b)), {
        interval: 10,
      })
      .toEqual(expected);
  }
  await client.call('watch.stop', { session, mailboxes: names });
  expect(listener.faults).toEqual([]);
}

it(`${WATCH_RUNS} histories with connections cut at random points: no event is missed, none is told twice`, async () => {
  const seed = Date.now() % 2 ** 31;
  process.stdout.write(`watches: ${WATCH_RUNS} histories, seed ${seed}\n`);
  await Promise.all(
    lanes.map((lane, index) =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => happen(lane, steps)),
        { seed: seed + index, numRuns: Math.ceil(Number(WATCH_RUNS) / LANES), endOnFailure: true },
      ),
    ),
  );
}, 600_000);
