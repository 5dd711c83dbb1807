import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { handlers } from '../../src/methods/handlers.js';
import { BrokerError } from '../../src/protocol/errors.js';
import type { SocketLimits } from '../../src/server/limits.js';
import type { ListenAddress } from '../../src/server/listener.js';
import type { Tenant } from '../../src/session/tenant.js';
import { Hub, type HubLimits } from '../../src/watch/hub.js';
import { type StubHandler, session, stubBroker, stubServices } from '../server/stub-broker.js';
import { type FakeWatcher, FakeWatchers } from './fake-watcher.js';

export interface WatchingOptions {
  epoch?: string;
  listen?: ListenAddress;
  limits?: Partial<SocketLimits>;
  watches?: Partial<HubLimits>;
  handlers?: Record<string, StubHandler>;
  tenants?: Tenant[];
}

/**
 * A broker whose watch methods are the real ones, before watchers of the test. Any token is a session, of an account of
 * its own; what comes behind a `+` makes it another session of the same account.
 */
export async function watchingBroker(options: WatchingOptions = {}) {
  const { epoch = 'e1', watches = {} } = options;
  const watchers = new FakeWatchers();
  const hub = new Hub({ epoch, startWatcher: watchers.start, limits: watches, log: pino({ level: 'silent' }) });
  onTestFinished(() => hub.close());
  const ended = new Set<string>();
  const resolve = async (_tenant: string, token: string) => {
    if (ended.has(token)) throw new BrokerError('SESSION_EXPIRED', 'session: ended', { field: 'session' });
    return { ...session, accountKey: token.replace(/\+.*/, '') };
  };
  const watching = (['watch.start', 'watch.stop', 'events.resume'] as const).map(
    (method) => [method, handlers[method] as unknown as StubHandler] as const,
  );
  const broker = await stubBroker({
    handlers: { ...Object.fromEntries(watching), ...options.handlers },
    services: { hub, epoch, sessions: { ...stubServices.sessions, resolve } },
    limits: options.limits ?? {},
    ...(options.listen ? { listen: options.listen } : {}),
    ...(options.tenants ? { tenants: options.tenants } : {}),
    checkResults: true,
  });
  /** The watcher of an account. */
  const watcherOf = (key: string): FakeWatcher => {
    const found = watchers.live.find((watcher) => watcher.key === key);
    if (!found) throw new Error(`Nobody watches ${key}.`);
    return found;
  };
  return { ...broker, hub, watchers, watcherOf, ended };
}
