import { fileURLToPath } from 'node:url';
import { Program } from '../../cli/program.js';
import { type Relay, startRelay } from '../../support/relay.js';
import { BenchBroker, UNBOUNDED } from '../bench-broker.js';
import { BrokerWay } from '../broker-way.js';
import type { Ending } from '../ending.js';
import { giveMail, index } from '../fill.js';
import { timed } from '../measure.js';
import { atMost, milliseconds, type Section, short } from '../report.js';
import type { Stage } from '../stage.js';
import { quantile } from '../statistics.js';

const QUIET_USERS = ['quiet1', 'quiet2', 'quiet3', 'quiet4'];
const SLOW = 'slow';
const NOISY = 'noisy';
/** Each direction, so that a command takes 5 s. */
const SLOW_DELAY_MS = 2500;
const SLOW_REQUESTS = 20;
/** Between two clicks of a quiet user. */
const PAUSE_MS = 10;
const floodProgram = fileURLToPath(new URL('../flood.js', import.meta.url));

/** Begins what disturbs others, until the ending. */
type Trouble = (ending: Ending) => Promise<void>;

interface Neighbours {
  name: string;
  troubles: Trouble[];
  /** Milliseconds of the quiet users' clicks beside them. */
  times: number[];
}

/** Four users who click, alone and beside two neighbours. */
export async function noisyNeighbour({ quick, dovecot }: Stage, ending: Ending): Promise<Section> {
  const relay = await startRelay(dovecot.tlsPort);
  ending.later(() => relay.close());
  const { caPath, tlsPort, password } = dovecot;
  const broker = await BenchBroker.start({
    servers: [
      { name: 'main', port: tlsPort, caPath },
      { name: SLOW, port: relay.port, caPath },
    ],
    tenants: { webmail: UNBOUNDED, [NOISY]: 'requests_per_second = 20' },
  });
  ending.later(() => broker.stop());
  for (const user of [...QUIET_USERS, SLOW, NOISY]) {
    giveMail(dovecot, user);
    await index(dovecot, user, ['INBOX']);
  }
  const client = broker.client();
  const quiet = await Promise.all(QUIET_USERS.map((user) => BrokerWay.open(client, 'main', user, password)));
  const slow = await BrokerWay.open(broker.client(), SLOW, SLOW, password);
  const noisy = await BrokerWay.open(broker.client(NOISY), 'main', NOISY, password);
  const turnMs = quick ? 600 : 2500;
  await everybodyClicks(quiet, turnMs);
  const slowServer: Trouble = (inner) => waitForSlow(relay, slow, inner);
  const flooding: Trouble = (inner) => flood(broker, noisy, inner);
  const neighbours: Neighbours[] = [
    { name: 'no other load', troubles: [], times: [] },
    { name: 'the slow server', troubles: [slowServer], times: [] },
    { name: 'the flood', troubles: [flooding], times: [] },
    { name: 'both', troubles: [slowServer, flooding], times: [] },
  ];
  for (let round = 0; round < (quick ? 1 : 5); round += 1) {
    for (const { troubles, times } of neighbours) {
      await ending.scope(async (inner) => {
        for (const begin of troubles) await begin(inner);
        times.push(...(await everybodyClicks(quiet, turnMs)));
      });
    }
  }
  return section(neighbours);
}

function section(neighbours: readonly Neighbours[]): Section {
  const rows = neighbours.map(({ name, times }) => ({
    name,
    medianMs: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p99Ms: quantile(times, 0.99),
  }));
  const alone = rows[0]?.p99Ms ?? 0;
  return {
    title: 'A noisy neighbour',
    text: `Four users of one application list their INBOX again and again, with a pause of ${PAUSE_MS} ms. Slow server: the server of another user
of the same application takes five seconds for each command, and ${SLOW_REQUESTS} requests wait for it. Flood: another application, with a quota
of 20 requests a second, asks with 64 callers that do not heed refusals; its program has the lowest priority of the system, so that
what is measured is what it costs the broker, not the machine. At least ${Math.min(...neighbours.map(({ times }) => times.length))} clicks of each kind, in turns.`,
    table: [
      ['the quiet users beside', 'median', '95 %', '99 %', '99 % : no other load'],
      ...rows.map(({ name, medianMs, p95Ms, p99Ms }) => [
        name,
        ...[medianMs, p95Ms, p99Ms].map(milliseconds),
        short(p99Ms / alone),
      ]),
    ],
    data: rows,
    targets: [
      atMost('noisy neighbours, both: 99 % of the times', (rows.at(-1)?.p99Ms ?? 0) / alone, 1.5, ' times those alone'),
    ],
  };
}

async function everybodyClicks(users: readonly BrokerWay[], turnMs: number): Promise<number[]> {
  const times: number[] = [];
  const begun = performance.now();
  const one = async (user: BrokerWay) => {
    while (performance.now() - begun < turnMs) {
      times.push(await timed(() => user.index()));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all(users.map(one));
  return times;
}

/** Keeps requests waiting for the slow server, until they are cancelled. */
async function waitForSlow(relay: Relay, slow: BrokerWay, ending: Ending): Promise<void> {
  // After a slow time the broker may leave the server alone for a while.
  await untilDone(() => slow.index());
  relay.delayMs = SLOW_DELAY_MS;
  const cancel = new AbortController();
  const ask = async () => {
    while (!cancel.signal.aborted) await slow.index({}, 'INBOX', cancel.signal).catch(pause);
  };
  const asking = Promise.all(Array.from({ length: SLOW_REQUESTS }, ask));
  ending.later(async () => {
    cancel.abort();
    await asking;
    relay.delayMs = 0;
  });
}

async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (failure) {
      if (tries === 100) throw failure;
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

async function flood(broker: BenchBroker, noisy: BrokerWay, ending: Ending): Promise<void> {
  const program = new Program(process.execPath, [floodProgram, broker.url, NOISY, noisy.session]);
  ending.later(() => program.stop('SIGKILL'));
  await program.printed(/flooding/);
}
