import { Dovecot } from '../../support/dovecot.js';
import { BenchBroker } from '../bench-broker.js';
import { BrokerWay } from '../broker-way.js';
import { INBOX_MESSAGES } from '../content.js';
import { CountingRelay } from '../counting-relay.js';
import type { Ending } from '../ending.js';
import { giveMail, index, SMALL, writeTemplate } from '../fill.js';
import { perClick } from '../imapflow-ways.js';
import { timed } from '../measure.js';
import { atMost, milliseconds, type Section, type Target } from '../report.js';
import type { Stage } from '../stage.js';
import { median } from '../statistics.js';

const CLICKS = 50;
/** Milliseconds from one click to the next, so that the storm takes a second. */
const EVERY_MS = 20;
/** What a stock Dovecot allows a user from one address. */
const LIMIT = 10;
const ACCOUNT_CONNECTIONS = 3;
const FLAGGED_UID = INBOX_MESSAGES;
const FOLDERS = Array.from({ length: CLICKS }, (_, at) => `Folder ${at}`);

/** What the storms are let loose on. */
interface Sky {
  dovecot: Dovecot;
  relay: CountingRelay;
  broker: BenchBroker;
}

/** One storm of a user whom the broker has not seen yet. */
interface Outcome {
  failed: number;
  connections: number;
  fetches: number;
  slowestMs: number;
  medianMs: number;
}

/** A click; it rejects when its answer is wrong. */
type Clicks = (index: number) => Promise<unknown>;

/** A kind of storm. */
interface Kind {
  name: string;
  /** What the clicks are; without a broker each connects. */
  make: ((way: BrokerWay) => Clicks) | 'per click';
  everyMs: number;
  folders?: readonly string[];
}

const list = (way: BrokerWay) => () => way.index();
const kinds: readonly Kind[] = [
  { name: 'connect per click', make: 'per click', everyMs: EVERY_MS },
  { name: 'connect per click, all at once', make: 'per click', everyMs: 0 },
  { name: 'broker', make: list, everyMs: EVERY_MS },
  { name: 'broker, all at once', make: list, everyMs: 0 },
  { name: 'broker, a flag set in the middle', make: flagInTheMiddle, everyMs: EVERY_MS },
  {
    name: 'broker, 50 folders',
    make: (way) => (at) => way.index({}, FOLDERS[at]),
    everyMs: EVERY_MS,
    folders: FOLDERS,
  },
];

/** Fifty clicks of one user in one second. */
export async function storm({ quick }: Stage, ending: Ending): Promise<Section> {
  const sky = await gather(ending);
  const rounds = quick ? 1 : 3;
  const outcomes = kinds.map((): Outcome[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, kind] of kinds.entries()) {
      outcomes[at]?.push(await blow(sky, kind, `storm${round}x${at}`));
    }
  }
  const rows = kinds.map(({ name }, at) => ({ name, ...together(outcomes[at] ?? []) }));
  const targets = kinds.flatMap(({ name, make, folders }, at) => {
    const row = rows[at];
    return make === 'per click' || !row ? [] : wanted(`storm, ${name}`, row, folders !== undefined);
  });
  return {
    title: 'A click storm',
    text: `Fifty index pages of one user within a second, 20 ms apart, from a Dovecot that allows a user ten connections from one address,
as it does unless told otherwise. The broker is warm, but has never seen the user's folders. Connections and FETCH commands are
counted by a relay before Dovecot. In the middle of one storm a flag is set: each answer to a click after it must show it. Of
${rounds} such storms the worst failures, connections and FETCH commands, and the medians of the times.`,
    table: [
      ['storm', 'failed', 'connections', 'FETCH commands', 'slowest answer', 'median'],
      ...rows.map((row) => [
        row.name,
        ...[row.failed, row.connections, row.fetches].map(String),
        ...[row.slowestMs, row.medianMs].map(milliseconds),
      ]),
    ],
    data: rows,
    targets,
  };
}

async function gather(ending: Ending): Promise<Sky> {
  const dovecot = await Dovecot.start({ maxUserIpConnections: LIMIT });
  ending.later(() => dovecot.stop());
  await writeTemplate(dovecot);
  const relay = await CountingRelay.start(dovecot.plainPort);
  ending.later(() => relay.close());
  const broker = await BenchBroker.start({ servers: [{ name: 'counted', port: relay.port }] });
  ending.later(() => broker.stop());
  giveMail(dovecot, 'earlier');
  const earlier = await openWay({ dovecot, relay, broker }, 'earlier');
  for (let count = 0; count < 100; count += 1) await earlier.index();
  return { dovecot, relay, broker };
}

function openWay({ broker, dovecot }: Sky, user: string): Promise<BrokerWay> {
  return BrokerWay.open(broker.client(), 'counted', user, dovecot.password);
}

function wanted(name: string, { failed, connections, fetches, slowestMs }: Outcome, folders: boolean): Target[] {
  return [
    atMost(`${name}: clicks that failed`, failed, 0),
    atMost(`${name}: connections`, connections, ACCOUNT_CONNECTIONS),
    atMost(`${name}: FETCH commands`, fetches, folders ? CLICKS : 3),
    ...(folders ? [] : [atMost(`${name}: slowest answer`, slowestMs, 100, ' ms')]),
  ];
}

/** The click in the middle sets a flag instead; those behind it must see it. */
function flagInTheMiddle(way: BrokerWay): Clicks {
  let written = false;
  return async (at) => {
    if (at === CLICKS / 2) {
      await way.flag(FLAGGED_UID, true);
      written = true;
      return;
    }
    const mustShow = written;
    const { messages } = await way.index();
    const shows = messages.find(({ uid }) => uid === FLAGGED_UID)?.flags?.includes('\\Flagged');
    if (mustShow && !shows) throw new Error('The answer is older than the write before it.');
  };
}

async function blow(sky: Sky, { make, everyMs, folders = [] }: Kind, user: string): Promise<Outcome> {
  giveMail(sky.dovecot, user);
  for (const folder of folders) giveMail(sky.dovecot, user, folder, SMALL);
  await index(sky.dovecot, user, ['INBOX', ...folders]);
  const others = sky.relay.connections;
  if (make === 'per click') {
    const { index: click } = perClick({ port: sky.relay.port, user, password: sky.dovecot.password });
    return clickAll(sky.relay, click, everyMs, others);
  }
  const way = await openWay(sky, user);
  const outcome = await clickAll(sky.relay, make(way), everyMs, others);
  await way.close();
  return outcome;
}

/** `others`: connections that are not this user's. */
async function clickAll(relay: CountingRelay, click: Clicks, everyMs: number, others: number): Promise<Outcome> {
  relay.reset();
  const times: number[] = [];
  let failed = 0;
  const one = async (at: number) => {
    await new Promise((resolve) => setTimeout(resolve, at * everyMs));
    try {
      times.push(await timed(() => click(at)));
    } catch {
      failed += 1;
    }
  };
  await Promise.all(Array.from({ length: CLICKS }, (_, at) => one(at)));
  return {
    failed,
    connections: relay.mostConnections - others,
    fetches: relay.count('FETCH'),
    slowestMs: Math.max(0, ...times),
    medianMs: median(times),
  };
}

function together(outcomes: readonly Outcome[]): Outcome {
  const worst = (key: keyof Outcome) => Math.max(...outcomes.map((one) => one[key]));
  const middle = (key: keyof Outcome) => median(outcomes.map((one) => one[key]));
  return {
    failed: worst('failed'),
    connections: worst('connections'),
    fetches: worst('fetches'),
    slowestMs: middle('slowestMs'),
    medianMs: middle('medianMs'),
  };
}
