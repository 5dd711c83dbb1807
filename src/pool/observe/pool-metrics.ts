import { BrokerError } from '../../protocol/errors.js';
import type { Metrics } from '../../runtime/metrics.js';
import { saysFull, saysTooMany } from '../account-errors.js';
import type { Registry } from '../registry.js';
import type { LoginTried } from './pool-events.js';
import { loadsOf, noLoad } from './server-load.js';

const WAIT_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LOGIN_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Adds the metrics of the pools: connections, logins, waits, breakers, budgets.
 * @param servers names of the configured servers, so that a server without connections is reported with zeros
 */
export function addPoolMetrics(metrics: Metrics, registry: Registry, servers: () => Iterable<string>): void {
  addStates(metrics, registry, servers);
  addBreakers(metrics, registry, servers);
  const { waits, logins, endings, refusals } = registry.events;

  const waited = metrics.histogram(
    'pool_wait_seconds',
    'How long jobs waited until they had a connection, by lane: interactive, bulk, watch.',
    ['server', 'lane'],
    WAIT_BUCKETS,
  );
  waits.add(({ server, lane, ms }) => waited({ server, lane }, ms / 1000));

  const tried = metrics.counter(
    'logins_total',
    'Logins that ended, by outcome: ok; refused: the credentials; token_expired: the access token; too_many: connections, of this user or of this broker; unavailable: no connection, TLS or greeting, or the server does not let this user in for another reason; aborted: no request waited for the connection any more.',
    ['server', 'outcome'],
  );
  const loginTook = metrics.histogram(
    'login_duration_seconds',
    'How long logins took that succeeded, from the first packet on.',
    ['server'],
    LOGIN_BUCKETS,
  );
  logins.add((login) => {
    const { server, ms, error } = login;
    tried({ server, outcome: loginOutcome(login) });
    if (error === undefined) loginTook({ server }, ms / 1000);
  });

  const leftAlone = metrics.counter(
    'breaker_refusals_total',
    'Logins that were not tried because the broker was backing off from the server.',
    ['server'],
  );
  refusals.add(({ server }) => leftAlone({ server }));

  const ended = metrics.counter(
    'connections_ended_total',
    'Connections that ended, by reason: discarded: it broke or its work was given up; reaped: idle for long; retired: too old; evicted: another account needed its place; closed: its account is not in use any more.',
    ['server', 'reason'],
  );
  endings.add(({ server, why: reason }) => ended({ server, reason }));
}

function addStates(metrics: Metrics, registry: Registry, servers: () => Iterable<string>): void {
  const loads = metrics.shared(() => {
    const known = loadsOf(registry);
    return [...servers()].map((server) => ({ server, ...(known.get(server) ?? noLoad) }));
  });
  metrics.gauge(
    'connections',
    'Connections by state: idle, busy, watching, connecting.',
    ['server', 'state'],
    (set) => {
      for (const { server, ...load } of loads()) {
        for (const state of ['idle', 'busy', 'watching', 'connecting'] as const) set({ server, state }, load[state]);
      }
    },
  );
  metrics.gauge('jobs_waiting', 'Jobs that wait for a connection now.', ['server'], (set) => {
    for (const { server, waiting } of loads()) set({ server }, waiting);
  });
  metrics.gauge('accounts', 'Accounts in use.', ['server'], (set) => {
    for (const { server, accounts } of loads()) set({ server }, accounts);
  });
  metrics.gauge(
    'accounts_below_budget',
    'Accounts that may have fewer connections than configured, because the server allows no more.',
    ['server'],
    (set) => {
      for (const { server, belowBudget } of loads()) set({ server }, belowBudget);
    },
  );
  metrics.gauge(
    'slots_used',
    'Connections that count against the caps, those that log out included.',
    ['server'],
    (set) => {
      for (const server of servers()) set({ server }, registry.caps.of(server));
    },
  );
  metrics.gauge('slots_limit', 'Most connections: of the broker, to one server.', ['cap'], (set) => {
    set({ cap: 'broker' }, registry.limits.now.connections);
    set({ cap: 'server' }, registry.limits.now.connectionsPerServer);
  });
}

function addBreakers(metrics: Metrics, registry: Registry, servers: () => Iterable<string>): void {
  const gates = metrics.shared(() => {
    const known = registry.servers;
    return [...servers()].map((server) => ({ server, gate: known.get(server) }));
  });
  metrics.gauge(
    'breaker_open',
    '1 while the broker is backing off from a server that it could not reach, else 0.',
    ['server'],
    (set) => {
      for (const { server, gate } of gates()) set({ server }, gate?.state === 'open' ? 1 : 0);
    },
  );
  metrics.gauge(
    'breaker_retry_seconds',
    'Until a server is tried again from which the broker is backing off.',
    ['server'],
    (set) => {
      for (const { server, gate } of gates()) set({ server }, (gate?.retryAfterMs ?? 0) / 1000);
    },
  );
  metrics.gauge(
    'server_failures',
    'Connects that failed, one after the other; 0 after one that succeeded.',
    ['server'],
    (set) => {
      for (const { server, gate } of gates()) set({ server }, gate?.failures ?? 0);
    },
  );
}

const outcomes = new Map<string, string>([
  ['IMAP_AUTH_FAILED', 'refused'],
  ['IMAP_TOKEN_EXPIRED', 'token_expired'],
  ['UPSTREAM_UNAVAILABLE', 'unavailable'],
]);

function loginOutcome({ error }: LoginTried): string {
  if (error === undefined) return 'ok';
  if (saysTooMany(error) || saysFull(error)) return 'too_many';
  return (error instanceof BrokerError ? outcomes.get(error.kind) : undefined) ?? 'aborted';
}
