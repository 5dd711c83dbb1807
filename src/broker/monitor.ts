import { addPoolMetrics } from '../pool/observe/pool-metrics.js';
import { Reachability } from '../pool/supply/reachability.js';
import { Metrics } from '../runtime/metrics.js';
import { Listener } from '../server/listener.js';
import { monitorPages } from '../server/monitor.js';
import { addServerMetrics } from '../server/server-metrics.js';
import type { SocketOptions } from '../server/socket-options.js';
import type { Tenant } from '../session/tenant.js';
import { addViewMetrics } from '../view/view-metrics.js';
import { addWatchMetrics } from '../watch/watch-metrics.js';
import type { Changeable } from './options.js';

/** The phase of a broker: it does not listen yet, takes work, or takes no new work. */
export type Phase = 'starting' | 'running' | 'draining';

export interface MonitorParts {
  socket: SocketOptions;
  /** The listener of the applications, whose sockets are counted. */
  listener: Listener;
  tenants: readonly Tenant[];
  allowedHosts: readonly string[];
  phase(): Phase;
}

/** Where the operators' programs ask for the state of the broker, and where the operators' page is. */
export interface Monitor {
  listener: Listener;
  metrics: Metrics;
  /** Applies another configuration. @param graceMs milliseconds that running requests of removed tenants may take */
  update(next: Changeable, graceMs: number): void;
}

/** Makes the monitor, which answers from before the broker's first request until after its last. */
export function monitorOf(parts: MonitorParts): Monitor {
  const { socket, tenants } = parts;
  let { allowedHosts } = parts;
  const metrics = metricsOf(parts);
  const notReady = readinessOf(parts);
  const onRequest = monitorPages({ metrics, notReady, allowedHosts: () => allowedHosts, log: socket.log });
  const listener = new Listener({ socket, tenants, allowedOrigins: [], allowedHosts, onRequest });
  return {
    listener,
    metrics,
    update: (next, graceMs) => {
      allowedHosts = next.allowedHosts ?? [];
      const addresses = next.monitor ? [next.monitor] : [];
      void listener.update({ tenants: next.tenants, addresses, allowedOrigins: [], allowedHosts }, graceMs);
    },
  };
}

/** Why the broker should get no new work now; undefined when it may. */
function readinessOf({ socket: { services }, phase }: MonitorParts): () => Promise<string | undefined> {
  const reachability = new Reachability(services.registry, () => services.servers.values());
  return async () => {
    if (phase() === 'starting') return 'it does not listen yet';
    if (phase() === 'draining') return 'it is about to stop';
    const problems = await reachability.problems();
    return problems.length === 0 ? undefined : ['no IMAP server can be reached', ...problems].join('\n');
  };
}

function metricsOf({ socket, listener, phase }: MonitorParts): Metrics {
  const metrics = new Metrics();
  const { services, limits, answered } = socket;
  const { registry, views, hub, sessions, servers, tenantNames: tenants, version } = services;
  metrics.gauge('build_info', 'Always 1: the version of the broker and of Node.', ['version', 'node'], (set) =>
    set({ version, node: process.version }, 1),
  );
  metrics.gauge('draining', '1 once the broker takes no new work, else 0.', [], (set) =>
    set({}, phase() === 'draining' ? 1 : 0),
  );
  addServerMetrics(metrics, { answered, listener, sessions, tenants, limits });
  addPoolMetrics(metrics, registry, () => servers.keys());
  addViewMetrics(metrics, views);
  addWatchMetrics(metrics, hub);
  metrics.addProcess();
  return metrics;
}
