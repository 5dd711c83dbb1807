import type { Result } from '../protocol/contract.js';
import type { Handler, Services } from './context.js';
import { serverState } from './operators/server-state.js';

export const brokerStatus: Handler<'broker.status'> = async ({ services }) => {
  const { name: ownName, version, epoch, operatorView, registry, servers, shared } = services;
  const { load, draining } = operatorView;
  const gates = registry.servers;
  let running = 0;
  for (const socket of operatorView.sockets) running += socket.running;
  let waiting = 0;
  for (const { stats } of registry.accounts) waiting += stats.waiting;
  return {
    name: ownName,
    version,
    epoch,
    startedAt: load.startedAt.toISOString(),
    uptimeMs: load.uptimeMs,
    state: draining ? 'draining' : 'running',
    paused: registry.paused,
    pid: process.pid,
    node: process.version,
    residentBytes: process.memoryUsage.rss(),
    eventLoopLagMs: load.eventLoopLagMs,
    requests: { running, waiting, perSecond: load.perSecond, latencyMs: load.latency },
    errors: load.errors,
    caps: capsOf(services),
    shared: shared === undefined ? null : shared.up ? 'up' : 'down',
    servers: [...servers.keys()].map((name) => ({ name, state: serverState(registry, gates, name) })),
  };
};

function capsOf({ operatorView, registry, sessions, views, hub }: Services): Result<'broker.status'>['caps'] {
  let sockets = 0;
  let streams = 0;
  for (const socket of operatorView.sockets) {
    sockets += 1;
    streams += socket.openStreams;
  }
  let watches = 0;
  for (const topic of hub.topics.values()) watches += topic.size;
  const { totals } = sessions;
  return [
    { name: 'sockets', used: sockets, limit: operatorView.socketLimit },
    { name: 'connections', used: registry.caps.total, limit: registry.limits.now.connections },
    { name: 'sessions', used: totals.sessions, limit: totals.limit },
    { name: 'accounts', used: totals.accounts, limit: null },
    { name: 'view bytes', used: views.bytes, limit: views.limits.now.bytes },
    { name: 'streams', used: streams, limit: null },
    { name: 'watches', used: watches, limit: null },
  ];
}
