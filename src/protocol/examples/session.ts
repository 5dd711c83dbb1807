import type { brokerMethods } from '../methods/broker.js';
import type { sessionMethods } from '../methods/session.js';
import { type Examples, meta, session } from './example.js';

const ends = { expiresAt: '2026-11-29T18:46:37.193Z', endsAt: '2026-12-06T06:46:37.193Z' };
const info = {
  server: 'main',
  user: 'anna',
  software: { name: 'Dovecot' },
  capabilities: {
    move: true,
    uidPlus: true,
    sort: true,
    thread: ['REFERENCES', 'ORDEREDSUBJECT'],
    listStatus: true,
    specialUse: true,
    condstore: true,
    qresync: true,
    idle: true,
    notify: true,
    preview: true,
    quota: true,
    esearch: true,
    statusSize: true,
    appendLimit: null,
  },
  offered: ['IMAP4rev1', 'SASL-IR', 'ID', 'ENABLE', 'IDLE', 'SORT', 'THREAD=REFERENCES', 'CONDSTORE', 'QRESYNC'],
  namespace: { personal: [{ prefix: '', delimiter: '/' }], other: [], shared: [] },
  limits: { connections: 3, queue: 100, appendBytes: 52_428_800 },
};

export const sessionExamples: Examples<keyof typeof sessionMethods> = {
  'session.open': {
    params: { server: 'main', user: 'anna', auth: { password: 'correct horse' }, clientIp: '192.0.2.50' },
    result: { session, ...info, ...ends },
  },
  'session.info': { params: { session }, result: { ...info, ...ends } },
  'session.refresh': {
    params: { session, auth: { accessToken: 'ya29.a0AfB', expiresAt: '2026-11-29T07:46:37Z' } },
    result: { session: 'eyJhbGciOiJkaXIk…', ...ends },
  },
  'session.renew': { params: { session }, result: { session: 'eyJhbGciOiJkaXIk…', ...ends } },
  'session.close': { params: { session }, result: { closed: true, lasts: true, everywhere: null } },
};

export const brokerExamples: Examples<keyof typeof brokerMethods> = {
  'quota.get': {
    params: { session },
    result: {
      supported: true,
      roots: [
        {
          root: 'User quota',
          storage: { used: 182_511_616, limit: 1_073_741_824 },
          messages: { used: 4_211, limit: 100_000 },
          others: [],
        },
      ],
      meta,
    },
  },
  'broker.ping': {
    params: {},
    result: { version: '0.2.0', epoch: 'a9a65cf7d4759c8f', time: '2026-11-29T06:46:37.240Z' },
  },
  'rpc.discover': {
    params: {},
    result: { openrpc: '1.3.2', info: { title: 'imap-broker', version: '0.2.0' }, methods: [] },
  },
};
