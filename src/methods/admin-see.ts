import type { ImapConnection } from '../imap/connection/connection.js';
import type { Account } from '../pool/account.js';
import { loadsOf } from '../pool/observe/server-load.js';
import type { adminSeeMethods } from '../protocol/methods/admin-see.js';
import { keyMatcher, namesOf } from '../runtime/account-key.js';
import { listAccounts } from './account-list.js';
import type { Handlers } from './context.js';
import type { SeenSocket, StreamFacts } from './operators/operator-view.js';
import { pageOf } from './operators/paging.js';
import { serverState } from './operators/server-state.js';

/** Handlers of the methods in `src/protocol/methods/admin-see.ts`. */
export const adminSeeHandlers = {
  'server.list': async ({ services }) => {
    const { registry, servers } = services;
    const gates = registry.servers;
    const loads = loadsOf(registry);
    return {
      servers: [...servers.keys()].map((name) => {
        const { accounts = 0, waiting = 0, belowBudget: reduced = 0 } = loads.get(name) ?? {};
        const { failures = 0, retryAfterMs = 0 } = gates.get(name) ?? {};
        return {
          name,
          state: serverState(registry, gates, name),
          ...{ failures, retryAfterMs },
          connections: registry.caps.of(name),
          connectionLimit: registry.caps.limitOf(name),
          learnedLimit: registry.caps.learnedOf(name) ?? null,
          ...{ accounts, waiting, reduced },
        };
      }),
    };
  },
  'account.list': listAccounts,
  'connection.list': async ({ services }, params) => {
    const all = connectionsOf(services.registry.accounts, keyMatcher(params));
    const { members, total, nextOffset } = pageOf(all, params, () => true);
    const connections = members.map(([account, connection]) => ({
      ...namesOf(account.key),
      ...account.describe(connection),
    }));
    return { connections, total, nextOffset };
  },
  'session.list': async ({ services }, params) => {
    const matches = keyMatcher(params);
    const page = pageOf(services.sessions.live, params, ([, { accountKey }]) => matches(accountKey));
    const { members, total, nextOffset } = page;
    const sessions = members.map(([id, { accountKey, openedAt, expiresAt }]) => ({
      id,
      ...namesOf(accountKey),
      openedAt: new Date(openedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    }));
    return { sessions, total, nextOffset };
  },
  'watch.list': async ({ services }, params) => {
    const matches = keyMatcher(params);
    const { members, total, nextOffset } = pageOf(services.hub.topics, params, ([key]) => matches(key));
    return { watches: members.map(([key, { facts }]) => ({ ...namesOf(key), ...facts })), total, nextOffset };
  },
  'socket.list': async ({ services }, params) => {
    const { operatorView, hub } = services;
    const matches = (tenant: string) => params.tenant === undefined || tenant === params.tenant;
    const { members, total, nextOffset } = pageOf(operatorView.sockets, params, (socket) => matches(socket.tenant));
    const sockets = members.map(({ facts: { subscriber, ...facts } }) => ({
      ...facts,
      watches: hub.countOf(subscriber),
    }));
    return { sockets, total, nextOffset };
  },
  'stream.list': async ({ services }, params) => {
    const all = streamsOf(services.operatorView.sockets, params.tenant);
    const { members, total, nextOffset } = pageOf(all, params, () => true);
    const streams = members.map(([{ id, tenant }, facts]) => ({ socket: id, tenant, ...facts }));
    return { streams, total, nextOffset };
  },
} satisfies Pick<Handlers, keyof typeof adminSeeMethods>;

function* connectionsOf(
  accounts: Iterable<Account>,
  matches: (key: string) => boolean,
): Generator<[Account, ImapConnection]> {
  for (const account of accounts) {
    if (!matches(account.key)) continue;
    for (const connection of account.connections) yield [account, connection];
  }
}

function* streamsOf(sockets: Iterable<SeenSocket>, tenant: string | undefined): Generator<[SeenSocket, StreamFacts]> {
  for (const socket of sockets) {
    if (tenant !== undefined && socket.tenant !== tenant) continue;
    for (const facts of socket.streams) yield [socket, facts];
  }
}
