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
  const { registry, servers } = socket.services;
  const reachability = new Reachability(registry, () => servers.values());
  const metrics = metricsOf(parts, reachability);
  const notReady = () => notReadyIn[parts.phase()];
  const upstreams = () => reachability.look();
  const onRequest = monitorPages({ metrics, notReady, upstreams, allowedHosts: () => allowedHosts, log: socket.log });
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

/** Why a broker takes no new work, by its phase. */
const notReadyIn: Record<Phase, string | undefined> = {
  starting: 'it does not listen yet',
  running: undefined,
  draining: 'it is about to stop',
};

function metricsOf({ socket, listener, phase }: MonitorParts, reachability: Reachability): Metrics {
  const metrics = new Metrics();
  const { services, limits, answered } = socket;
  const { registry, views, hub, sessions, servers, tenantNames: tenants, name, version } = services;
  metrics.gauge(
    'build_info',
    'Always 1: the name of the broker, its version and that of Node.',
    ['name', 'version', 'node'],
    (set) => set({ name, version, node: process.version }, 1),
  );
  metrics.gauge('draining', '1 once the broker takes no new work, else 0.', [], (set) =>
    set({}, phase() === 'draining' ? 1 : 0),
  );
  metrics.gauge(
    'shared_up',
    '1 while the store that several brokers share can be reached, else 0; missing without one.',
    [],
    (set) => {
      if (services.shared) set({}, services.shared.up ? 1 : 0);
    },
  );
  addServerMetrics(metrics, { answered, listener, sessions, tenants, limits });
  addPoolMetrics(metrics, registry, () => servers.keys());
  metrics.gauge(
    'upstream_reached',
    '1 where the IMAP server answered lately, 0 where it cannot be reached.',
    ['server'],
    (set) => {
      for (const [server, reached] of reachability.known) set({ server }, reached ? 1 : 0);
    },
  );
  addViewMetrics(metrics, views);
  addWatchMetrics(metrics, hub);
  metrics.addProcess();
  return metrics;
}
