import type { Listeners } from '../runtime/listeners.js';
import type { Current } from '../runtime/live.js';
import { turnedAway } from '../runtime/load/load.js';
import type { Metrics } from '../runtime/metrics.js';
import type { SessionStore } from '../session/store.js';
import type { Listener } from './listener.js';
import type { Answered } from './request-record.js';

const REQUEST_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface ServerMetricsOptions {
  answered: Listeners<Answered>;
  listener: Listener;
  sessions: SessionStore;
  tenants: Iterable<string>;
  limits: Current<{ sockets: number }>;
}

/** Adds the metrics of requests, sockets, streams and sessions. */
export function addServerMetrics(metrics: Metrics, options: ServerMetricsOptions): void {
  const { answered, listener, sessions, tenants, limits } = options;
  const counted = metrics.counter(
    'requests_total',
    'Requests that were answered, by method of the contract (else unknown), outcome (ok, or the kind of the error) and source (server, validated, cache or coalesced; none where the answer does not tell).',
    ['method', 'outcome', 'source'],
  );
  const took = metrics.histogram(
    'request_duration_seconds',
    'Time from the arrival of a request to its answer; without those that were refused with RATE_LIMITED or DRAINING.',
    ['method', 'source'],
    REQUEST_BUCKETS,
  );
  answered.add(({ method = 'unknown', outcome, source = 'none', ms }) => {
    counted({ method, outcome, source });
    if (!turnedAway.has(outcome)) took({ method, source }, ms / 1000);
  });
  metrics.gauge('requests_running', 'Requests that are not answered yet.', ['tenant'], (set) => {
    for (const [tenant, { running }] of listener.uses) set({ tenant }, running);
  });
  metrics.gauge('sockets', 'WebSockets.', ['tenant'], (set) => {
    for (const [tenant, { sockets }] of listener.uses) set({ tenant }, sockets);
  });
  metrics.gauge('sockets_limit', 'Most WebSockets of the broker.', [], (set) => set({}, limits.now.sockets));
  metrics.gauge('tenant_sockets_limit', 'Most WebSockets of an application.', ['tenant'], (set) => {
    for (const [tenant, limit] of listener.socketsLimits) set({ tenant }, limit);
  });
  metrics.gauge('streams', 'Open streams: uploads and downloads.', ['tenant'], (set) => {
    for (const [tenant, { streams }] of listener.uses) set({ tenant }, streams);
  });
  metrics.gauge('sessions', 'Sessions in use.', ['tenant'], (set) => {
    for (const tenant of tenants) set({ tenant }, sessions.count(tenant));
  });
}
