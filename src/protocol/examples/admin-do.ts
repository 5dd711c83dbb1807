import type { adminBrokerMethods } from '../methods/admin-broker.js';
import type { adminDoMethods } from '../methods/admin-do.js';
import type { adminRequestMethods } from '../methods/admin-requests.js';
import type { Examples } from './example.js';

const anna = { tenant: 'webmail', server: 'main', user: 'anna' };
const greeting = '* OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ AUTH=PLAIN] ready.';

export const adminDoExamples: Examples<keyof typeof adminDoMethods> = {
  'broker.drain': {
    params: { graceMs: 20_000 },
    result: { draining: true, requests: 3, streams: 1, sockets: 8, connections: 41, remainingMs: 19_999 },
  },
  'broker.remaining': {
    params: {},
    result: { draining: true, requests: 1, streams: 1, sockets: 2, connections: 3, remainingMs: 12_480 },
  },
  'broker.reload': {
    params: {},
    result: { changed: ['limits.requests_per_socket', 'server main: connections'], restart: ['shared.url'] },
  },
  'log.level': { params: { level: 'debug', forMs: 600_000 }, result: { level: 'debug', before: 'info' } },
  'keys.rotate': { params: {}, result: { id: '1sYSfG-K', keys: 3 } },
  'server.probe': {
    params: { server: 'main' },
    result: {
      steps: [
        { step: 'dns', ok: true, ms: 4.7, detail: 'imap.example.org is 192.0.2.7' },
        { step: 'connect', ok: true, ms: 1.2, detail: '192.0.2.7 port 993' },
        { step: 'tls', ok: true, ms: 3.5, detail: 'TLSv1.3, certificate of imap.example.org' },
        { step: 'greeting', ok: true, ms: 1, detail: greeting },
        { step: 'capabilities', ok: true, ms: 0, detail: 'told with the greeting' },
      ],
    },
  },
  'broker.pause': {
    params: { server: 'main' },
    result: { accounts: 37, connections: 4, paused: [{ server: 'main' }] },
  },
  'broker.resume': { params: { server: 'main' }, result: { resumed: 1, paused: [] } },
  'pool.reconnect': { params: anna, result: { accounts: 1, connections: 2 } },
  'account.kick': { params: anna, result: { connections: 2, requests: 1 } },
  'socket.kick': { params: { socket: 'socket-1' }, result: { tenant: 'webmail' } },
  'session.kick': {
    params: { id: 'cHPXdolK9yF7MI-zlYjXGw' },
    result: { ...anna, lasts: true, everywhere: null },
  },
  'session.revoke': {
    params: { tenant: 'webmail', user: 'anna' },
    result: { accounts: 1, lasts: true, everywhere: null },
  },
};

export const adminBrokerExamples: Examples<keyof typeof adminBrokerMethods> = {
  'broker.status': {
    params: {},
    result: {
      name: 'mail-1',
      version: '0.2.0',
      epoch: 'a9a65cf7d4759c8f',
      startedAt: '2026-11-29T06:46:37.090Z',
      uptimeMs: 86_400_215,
      state: 'running',
      paused: [],
      pid: 25_570,
      node: 'v20.20.2',
      residentBytes: 130_273_280,
      eventLoopLagMs: 7.8,
      requests: { running: 1, waiting: 0, perSecond: 71.5, latencyMs: { p50: 2.3, p95: 9.8, p99: 41 } },
      errors: [{ kind: 'IMAP_AUTH_FAILED', tenant: 'webmail', count: 2, perSecond: 0.02 }],
      caps: [
        { name: 'sockets', used: 8, limit: 1000 },
        { name: 'connections', used: 41, limit: 1000 },
        { name: 'sessions', used: 52, limit: 100_000 },
        { name: 'accounts', used: 37, limit: null },
        { name: 'view bytes', used: 3_234_011, limit: 134_217_728 },
        { name: 'streams', used: 1, limit: null },
        { name: 'watches', used: 30, limit: null },
      ],
      shared: null,
      servers: [{ name: 'main', state: 'reachable' }],
    },
  },
  'broker.history': {
    params: {},
    result: {
      stepMs: 15_000,
      endedAt: '2026-11-29T06:47:07.090Z',
      columns: {
        ...{ requestsPerSecond: [70.2, 0], failedPerSecond: [0.07, 0] },
        ...{ p50Ms: [2.3, null], p95Ms: [9.8, null], p99Ms: [41, null] },
        ...{ running: [2, 1], waiting: [0, 0], busy: [2, 0], idle: [9, 11], watching: [30, 30], accounts: [37, 37] },
        ...{ commandsPerSecond: [92.1, 0.13], loginsPerSecond: [0.2, 0], eventLoopLagMs: [7.8, 1.1] },
        residentBytes: [130_273_280, 130_273_280],
      },
    },
  },
  'config.get': {
    params: {},
    result: { settings: [{ key: 'limits.connections_per_account', value: 3, source: 'default' }] },
  },
  'trace.start': { params: { server: 'main', user: 'anna' }, result: { trace: 'trace-1' } },
  'trace.stop': { params: { trace: 'trace-1' }, result: { stopped: true } },
};

export const adminRequestExamples: Examples<keyof typeof adminRequestMethods> = {
  'request.slowest': {
    params: {},
    result: {
      requests: [
        {
          ...{ answeredAt: '2026-11-29T06:46:37.205Z', ms: 285.8, outcome: 'ok', method: 'session.open' },
          ...anna,
          source: null,
        },
      ],
    },
  },
  'request.waiting': {
    params: anna,
    result: { requests: [{ method: 'message.part', lane: 'bulk', waitedMs: 412 }], total: 1 },
  },
};
