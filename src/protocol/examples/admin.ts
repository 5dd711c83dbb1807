import type { adminSeeMethods } from '../methods/admin-see.js';
import type { Examples } from './example.js';

const anna = { tenant: 'webmail', server: 'main', user: 'anna' };

export const adminSeeExamples: Examples<keyof typeof adminSeeMethods> = {
  'server.list': {
    params: {},
    result: {
      servers: [
        {
          ...{ name: 'main', state: 'reachable', failures: 0, retryAfterMs: 0, connections: 41, connectionLimit: 500 },
          ...{ learnedLimit: null, accounts: 37, waiting: 0, reduced: 0 },
        },
      ],
    },
  },
  'account.list': {
    params: { limit: 1 },
    result: {
      accounts: [
        {
          ...anna,
          ...{ idle: 1, busy: 0, watching: 1, connecting: 0, waiting: 0, longestWaitMs: 0, budget: 3, paused: false },
          ...{
            sessions: 2,
            watches: 1,
            viewBytes: 48_120,
            perSecond: 0.62,
            latencyMs: { p50: 2.1, p95: 8.4, p99: 38.2 },
          },
        },
      ],
      total: 37,
      nextOffset: 1,
    },
  },
  'connection.list': {
    params: { user: 'anna' },
    result: {
      connections: [
        {
          ...{ ...anna, id: 'main-17', state: 'idle', mailbox: 'INBOX', ageMs: 61_204, idleMs: 950, served: 52 },
          ...{ sentBytes: 3_110, receivedBytes: 184_300 },
        },
      ],
      total: 1,
      nextOffset: null,
    },
  },
  'session.list': {
    params: { user: 'anna' },
    result: {
      sessions: [
        {
          ...{ id: 'cHPXdolK9yF7MI-zlYjXGw', ...anna, openedAt: '2026-11-29T06:46:37.193Z' },
          expiresAt: '2026-11-29T18:46:37.193Z',
        },
      ],
      total: 1,
      nextOffset: null,
    },
  },
  'watch.list': {
    params: {},
    result: {
      watches: [{ ...anna, mailboxes: ['INBOX', 'Sent'], sockets: 2, seq: 118, alive: true }],
      total: 1,
      nextOffset: null,
    },
  },
  'socket.list': {
    params: { tenant: 'webmail' },
    result: {
      sockets: [
        {
          ...{ id: 'socket-1', tenant: 'webmail', peer: '127.0.0.1:35068', ageMs: 86_199, running: 1, served: 5_210 },
          ...{ streams: 0, bufferedBytes: 0, watches: 1 },
        },
      ],
      total: 1,
      nextOffset: null,
    },
  },
  'stream.list': { params: {}, result: { streams: [], total: 0, nextOffset: null } },
};
