import { defaultWatchTimes } from '../../../src/watch/watcher.js';
import { Dovecot } from '../../support/dovecot.js';
import { BenchBroker } from '../bench-broker.js';
import { BrokerWay } from '../broker-way.js';
import type { Ending } from '../ending.js';
import { giveMail, writeTemplate } from '../fill.js';
import { PAGE } from '../imapflow-ways.js';
import { atMost, type Section, short } from '../report.js';
import type { Stage } from '../stage.js';

const MIB = 1024 * 1024;
/** In so much time the server is asked once for each account whether it is still there. */
const HEARTBEAT_MS = defaultWatchTimes.heartbeatMs;
/** So many accounts are opened at a time. */
const AT_ONCE = 16;

/** Accounts that do nothing, each with a watch of the INBOX and what the broker remembers of 50 messages. */
export async function idleAccounts({ quick }: Stage, ending: Ending): Promise<Section> {
  const [accounts, settleMs, restMs] = quick ? [100, 1000, 4000] : [1000, 15_000, HEARTBEAT_MS];
  const dovecot = await Dovecot.start();
  ending.later(() => dovecot.stop());
  await writeTemplate(dovecot, PAGE);
  const users = Array.from({ length: accounts }, (_, at) => `idle${at}`);
  for (const user of users) giveMail(dovecot, user);
  const { tlsPort, caPath, password } = dovecot;
  const broker = await BenchBroker.start({ servers: [{ name: 'main', port: tlsPort, caPath }] });
  ending.later(() => broker.stop());
  const client = broker.client();
  const emptyBytes = broker.residentBytes;
  const waiting = [...users];
  const opening = async () => {
    for (let user = waiting.shift(); user !== undefined; user = waiting.shift()) {
      const way = await BrokerWay.open(client, 'main', user, password);
      await way.index();
      await way.watch();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opening));
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const residentBytes = broker.residentBytes;
  const cpuBefore = broker.cpuSeconds;
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const cpuShare = ((broker.cpuSeconds - cpuBefore) * 1000) / (performance.now() - begun);
  const restedBytes = broker.residentBytes;
  const connections = [...(await dovecot.who()).values()].reduce((sum, count) => sum + count, 0);
  const resident = residentBytes / MIB;
  return {
    title: `${accounts} idle accounts`,
    text: `Each with a session, a connection over TLS, a watch of the INBOX and one listed page of 50 messages. Memory is what the kernel
counts as resident of the broker, ${settleMs / 1000} s after the last was opened; the processor time is that of the ${restMs / 1000} s after that,
in percent of one core${quick ? '' : ', in which each watch has one heartbeat'}. The broker alone holds ${short(emptyBytes / MIB)} MiB.`,
    table: [
      ['accounts', 'connections', 'memory', 'memory for each', 'memory after the rest', 'processor at rest'],
      [
        `${accounts}`,
        `${connections}`,
        `${short(resident)} MiB`,
        `${short((residentBytes - emptyBytes) / accounts / 1024)} KiB`,
        `${short(restedBytes / MIB)} MiB`,
        `${short(cpuShare * 100)} %`,
      ],
    ],
    data: { accounts, connections, emptyBytes, residentBytes, restedBytes, cpuShare },
    targets: [
      atMost(`${accounts} idle accounts: memory`, resident, 260, ' MiB'),
      atMost(`${accounts} idle accounts: processor at rest`, cpuShare * 100, 2, ' %'),
    ],
  };
}
