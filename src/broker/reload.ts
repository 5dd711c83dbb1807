import type { ServerOptions } from '../imap/login/server-options.js';
import type { Services } from '../methods/context.js';
import { keyMatcher } from '../runtime/account-key.js';
import type { Listener } from '../server/listener.js';
import type { SealedSessions } from '../session/sealed-sessions.js';
import { serverGone } from '../session/session.js';
import type { Changeable } from './options.js';

interface ServerParts extends Pick<Services, 'registry' | 'sessions'> {
  servers: Map<string, ServerOptions>;
  /** Drops all that is kept of an account beside its connections. */
  endAccount(accountKey: string): void;
}

interface TenantParts {
  sessions: SealedSessions;
  tenantNames: Set<string>;
}

/** Refuses sessions on removed servers; what runs on such a server may take `graceMs` milliseconds. */
export function setServers(
  { servers, registry, sessions, endAccount }: ServerParts,
  next: readonly ServerOptions[],
  graceMs: number,
): void {
  const names = new Set(next.map(({ name }) => name));
  for (const name of [...servers.keys()].filter((one) => !names.has(one))) {
    servers.delete(name);
    const matches = keyMatcher({ server: name });
    const inUse = [...sessions.live.values()].map(({ accountKey }) => accountKey).filter(matches);
    for (const key of new Set([...registry.closeServer(name, graceMs, serverGone()), ...inUse])) endAccount(key);
  }
  for (const server of next) {
    const before = servers.get(server.name);
    servers.set(server.name, server);
    if (before && before !== server) registry.setServer(server);
  }
}

/** Drains the sockets of removed tenants, whose sessions then have no effect. */
export function setTenants(
  { tenantNames, sessions }: TenantParts,
  listener: Listener,
  next: Changeable,
  graceMs: number,
): void {
  const { tenants, listeners: addresses, allowedOrigins = [], allowedHosts = [] } = next;
  const names = new Set(tenants.map(({ name }) => name));
  const gone = [...tenantNames].filter((name) => !names.has(name));
  tenantNames.clear();
  for (const name of names) tenantNames.add(name);
  void listener.update({ tenants, addresses, allowedOrigins, allowedHosts }, graceMs).then(() => {
    // A later reload may have brought the tenant back meanwhile.
    for (const name of gone) if (!tenantNames.has(name)) sessions.forget(name);
  });
}
