import { pino } from 'pino';
import { buildServices } from '../../src/broker/services.js';
import type { Services } from '../../src/methods/context.js';
import type { Session } from '../../src/session/session.js';
import type { SessionStore } from '../../src/session/store.js';
import { tenantWith } from '../../src/session/tenant.js';
import { FakeWatchers } from './fake-watcher.js';
import { stubOperations } from './stub-operations.js';
import { upstream } from './upstream.js';

/** Made once for a test file, because services have timers. */
const { services } = buildServices(
  {
    tenants: [tenantWith({ name: 'shop' })],
    servers: [upstream('main', 1)],
    startWatcher: new FakeWatchers().start,
    log: pino({ level: 'silent' }),
  },
  { operations: stubOperations, sockets: () => [], draining: () => false },
);

const unexpected = () => {
  throw new Error('not in this test');
};

/** A session store that no session is asked of, and that operators find empty. */
export const emptySessions: SessionStore = {
  open: unexpected,
  resolve: unexpected,
  renew: unexpected,
  check: () => {},
  newestSecret: ({ secret }: Session) => secret,
  revoke: async () => ({ accounts: 0, lasts: true, everywhere: null }),
  kick: async () => undefined,
  count: () => 0,
  hasAccount: () => true,
  close: async () => ({ lasts: true, everywhere: null }),
  live: new Map(),
  totals: { sessions: 0, accounts: 0, limit: 1 },
  countOf: () => 0,
};

/** The services of a broker as the broker makes them, with a session store of the test. */
export function testServices(overrides: Partial<Services> = {}): Services {
  return { ...services, sessions: emptySessions, ...overrides };
}
