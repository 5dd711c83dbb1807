import type { HistoryColumn, OperatorView, SeenSocket, SlowRequest } from '../methods/operators/operator-view.js';
import { Tracing } from '../methods/operators/tracing.js';
import { loadsOf } from '../pool/observe/server-load.js';
import type { Registry } from '../pool/registry.js';
import type { Current } from '../runtime/live.js';
import { AccountLoads } from '../runtime/load/account-loads.js';
import { History } from '../runtime/load/history.js';
import { Load, STEP_MS } from '../runtime/load/load.js';
import { Slowest } from '../runtime/load/slowest.js';

/** How many of the slowest requests operators can see, and for how many milliseconds a request is kept. */
const SLOWEST = 20;
const SLOWEST_MS = 300_000;
/** Steps of the history: an hour. */
const POINTS = 3_600_000 / STEP_MS;

const columns: readonly HistoryColumn[] = [
  ...(['requestsPerSecond', 'failedPerSecond', 'p50Ms', 'p95Ms', 'p99Ms', 'running', 'waiting'] as const),
  ...(['busy', 'idle', 'watching', 'accounts', 'commandsPerSecond', 'loginsPerSecond'] as const),
  ...(['eventLoopLagMs', 'residentBytes'] as const),
];

/** What operators see of the broker as a whole, which is put together after its services. */
export interface SeenBroker {
  /** All sockets, the oldest first. */
  sockets(): Iterable<SeenSocket>;
  draining(): boolean;
}

export interface OperatorViewParts {
  registry: Registry;
  whole: SeenBroker;
  socketLimits: Current<{ sockets: number }>;
  settings: OperatorView['settings'];
}

/** What operators see of a broker beside its services. */
export function operatorViewOf({ registry, whole, socketLimits, settings }: OperatorViewParts): OperatorView {
  const load = new Load();
  const accountLoads = new AccountLoads();
  load.steps.add(() => accountLoads.sweep());
  return {
    load,
    accountLoads,
    history: historyOf(load, registry, whole),
    slowest: new Slowest<SlowRequest>(SLOWEST, SLOWEST_MS, 5),
    tracing: new Tracing(),
    settings,
    get socketLimit() {
      return socketLimits.now.sockets;
    },
    get sockets() {
      return whole.sockets();
    },
    get draining() {
      return whole.draining();
    },
  };
}

/** The history of the last hour, which goes on by itself. */
function historyOf(load: Load, registry: Registry, whole: SeenBroker): History<HistoryColumn> {
  const history = new History(columns, STEP_MS, POINTS);
  const { events } = registry;
  let logins = 0;
  let commands = 0;
  events.logins.add(() => {
    logins += 1;
  });
  load.steps.add(({ requests, failed, latency, eventLoopLagMs }) => {
    const sum = { waiting: 0, busy: 0, idle: 0, watching: 0, accounts: 0 };
    for (const one of loadsOf(registry).values())
      for (const name of Object.keys(sum) as Array<keyof typeof sum>) sum[name] += one[name];
    let running = 0;
    for (const socket of whole.sockets()) running += socket.running;
    history.add({
      requestsPerSecond: perSecond(requests),
      failedPerSecond: perSecond(failed),
      p50Ms: latency?.p50 ?? null,
      p95Ms: latency?.p95 ?? null,
      p99Ms: latency?.p99 ?? null,
      running,
      ...sum,
      commandsPerSecond: perSecond(events.commands - commands),
      loginsPerSecond: perSecond(logins),
      eventLoopLagMs,
      residentBytes: process.memoryUsage.rss(),
    });
    commands = events.commands;
    logins = 0;
  });
  return history;
}

function perSecond(count: number): number {
  return Math.round((count * 100_000) / STEP_MS) / 100;
}
