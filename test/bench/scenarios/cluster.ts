import { freePorts } from '../../support/ports.js';
import { type Asked, AskingProcess } from '../asking-process.js';
import { BenchBroker } from '../bench-broker.js';
import type { Ending } from '../ending.js';
import { giveMail, index } from '../fill.js';
import { Haproxy } from '../haproxy.js';
import { processorSeconds } from '../processor.js';
import { atMost, milliseconds, type Section, short } from '../report.js';
import type { Stage } from '../stage.js';

/** Callers at the same time; each is a user of its own, so that none shares the answer of another. */
const USERS = 16;
const [DIRECT, ONE, TWO] = ['direct', 'HAProxy, one broker', 'HAProxy, two brokers'];
const MICROSECONDS = 1_000_000;

/** What is measured: so many requests of a kind in each round. The many come first, so that the compiler is done when few are asked. */
const kinds: readonly { asked: Asked; callers: number; requests: number }[] = [
  { asked: 'list', callers: USERS, requests: 2_000 },
  { asked: 'list, aged', callers: USERS, requests: 2_000 },
  { asked: 'ping', callers: USERS, requests: 5_000 },
  { asked: 'list', callers: 1, requests: 500 },
  { asked: 'ping', callers: 1, requests: 2_000 },
];

/** A way to the brokers, and the processes that its requests go through. */
interface Way {
  name: string;
  url: string;
  haproxy: readonly number[];
  brokers: readonly number[];
}

/** Seconds of processor time, of each side. */
interface Used {
  broker: number;
  haproxy: number;
  client: number;
}

export interface ClusterRow extends Used {
  way: string;
  asked: Asked;
  callers: number;
  requests: number;
  medianMs: number;
  p95Ms: number;
  perSecond: number;
}

/** What a request costs the processor, of the brokers, of HAProxy and of the client. */
export async function cluster(stage: Stage, ending: Ending): Promise<Section> {
  const client = await AskingProcess.start();
  ending.later(() => client.stop());
  const ways = await start(stage, ending);
  const users = Array.from({ length: USERS }, (_, at) => `cluster${at}`);
  for (const user of users) {
    giveMail(stage.dovecot, user);
    await index(stage.dovecot, user, ['INBOX']);
  }
  const { password } = stage.dovecot;
  for (const { name: way, url } of ways) await client.order({ what: 'enter', way, url, users, password });
  const rows = await measureAll(client, ways, stage.quick);
  const row = (way: string, asked: Asked, callers: number) =>
    rows.find((one) => one.way === way && one.asked === asked && one.callers === callers);
  const added = (key: 'medianMs' | 'p95Ms') => (row(ONE, 'ping', 1)?.[key] ?? 0) - (row(DIRECT, 'ping', 1)?.[key] ?? 0);
  const list = row(ONE, 'list', USERS);
  const share = list && list.broker > 0 ? list.haproxy / list.broker : undefined;
  return {
    title: 'Several brokers',
    text: `Processor time of one request, of the brokers, of HAProxy and of the client, from /proc/PID/stat around so many requests.
list: an index page of 50 messages that the IMAP server confirms; list, aged: the same from memory; ping: broker.ping, an answer and nothing
else. ${USERS} users, each on the socket of its shard. HAProxy adds ${milliseconds(added('medianMs'))} to the median of a ping of one caller, and ${milliseconds(added('p95Ms'))} to its 95 %.
All processes, Dovecot too, share two cores, which one broker, its client and Dovecot fill: two brokers on the same cores cannot answer twice
as much. How many cores a site needs is computed from the processor time of a request, not from these calls a second.`,
    table: [
      ['way', 'asked', 'callers', 'requests', 'broker', 'HAProxy', 'client', 'median', '95 %', 'calls a second'],
      ...rows.map(({ way, asked, callers, requests, broker, haproxy, client: own, medianMs, p95Ms, perSecond }) => [
        way,
        asked,
        ...[callers, requests].map(String),
        ...[broker, haproxy, own].map(microseconds),
        ...[medianMs, p95Ms].map(milliseconds),
        short(perSecond),
      ]),
    ],
    data: rows,
    targets: [atMost('HAProxy: processor time of a list', share, 0.25, ' of that of the broker')],
  };
}

const microseconds = (seconds: number) => `${(seconds * MICROSECONDS).toFixed(0)} µs`;

async function start({ dovecot }: Stage, ending: Ending): Promise<readonly Way[]> {
  const [p1 = 0, m1 = 0, p2 = 0, m2 = 0] = await freePorts(4);
  const ports = [
    { port: p1, monitorPort: m1 },
    { port: p2, monitorPort: m2 },
  ];
  const servers = [{ name: 'main', port: dovecot.tlsPort, caPath: dovecot.caPath }];
  const brokers: BenchBroker[] = [];
  for (const each of ports) {
    const broker = await BenchBroker.start({ servers, ports: each });
    ending.later(() => broker.stop());
    brokers.push(broker);
  }
  const pids = brokers.map(({ pid }) => pid);
  const proxies: Haproxy[] = [];
  for (const count of [1, 2]) {
    const proxy = await Haproxy.start(ports.slice(0, count));
    ending.later(() => proxy.stop());
    proxies.push(proxy);
  }
  const behind = (name: string, count: number): Way => {
    const proxy = proxies[count - 1];
    return { name, url: proxy?.url ?? '', haproxy: proxy ? [proxy.pid] : [], brokers: pids.slice(0, count) };
  };
  const direct = { name: DIRECT, url: brokers[0]?.url ?? '', haproxy: [], brokers: pids.slice(0, 1) };
  return [direct, behind(ONE, 1), behind(TWO, 2)];
}

/** All ways in turns, in several rounds: what slows the machine down for a while slows all of them. */
async function measureAll(client: AskingProcess, ways: readonly Way[], quick: boolean): Promise<ClusterRow[]> {
  const [rounds, share] = quick ? [1, 0.05] : [5, 1];
  const rows: ClusterRow[] = [];
  for (const { asked, callers, requests: whole } of kinds) {
    const requests = Math.ceil(whole * share);
    const sums = ways.map(() => ({ broker: 0, haproxy: 0, client: 0, seconds: 0 }));
    for (const { name: way } of ways) {
      // So that what the compiler does is done.
      await client.order({ what: 'ask', way, asked, requests, callers });
      await client.order({ what: 'tell', way, asked, callers });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, way] of ways.entries()) {
        const before = usedBy(way, client.pid);
        const begun = performance.now();
        await client.order({ what: 'ask', way: way.name, asked, requests, callers });
        const sum = sums[at];
        if (!sum) continue;
        sum.seconds += (performance.now() - begun) / 1000;
        const after = usedBy(way, client.pid);
        for (const side of ['broker', 'haproxy', 'client'] as const) sum[side] += after[side] - before[side];
      }
    }
    for (const [at, { name: way }] of ways.entries()) {
      const told = await client.order({ what: 'tell', way, asked, callers });
      const { broker = 0, haproxy = 0, client: own = 0, seconds = 0 } = sums[at] ?? {};
      const count = rounds * requests;
      const each = { broker: broker / count, haproxy: haproxy / count, client: own / count };
      if (told) rows.push({ way, asked, callers, ...told, ...each, perSecond: count / seconds });
    }
  }
  return rows;
}

function usedBy({ brokers, haproxy }: Way, client: number): Used {
  const all = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);
  return { broker: all(brokers), haproxy: all(haproxy), client: all([client]) };
}
