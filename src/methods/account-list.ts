import type { Account } from '../pool/account.js';
import type { Params, Result } from '../protocol/contract.js';
import { keyMatcher, namesOf } from '../runtime/account-key.js';
import type { Handler, Services } from './context.js';
import { greatestFirst, pageOf } from './operators/paging.js';

export const listAccounts: Handler<'account.list'> = async ({ services }, params) => {
  const matches = keyMatcher(params);
  const all = sorted(services, params.sort);
  const { members, total, nextOffset } = pageOf(all, params, ({ key }) => matches(key));
  return { accounts: members.map((account) => describe(services, account)), total, nextOffset };
};

function sorted(
  { registry, sessions, hub, operatorView }: Services,
  sort: Params<'account.list'>['sort'],
): Iterable<Account> {
  const { accounts } = registry;
  switch (sort) {
    case 'oldest':
      return accounts;
    case 'busy':
    case 'waiting':
      return greatestFirst(accounts, ({ stats }) => stats[sort]);
    case 'connections':
      return greatestFirst(accounts, ({ connections }) => connections.size);
    case 'sessions':
      return greatestFirst(accounts, ({ key }) => sessions.countOf(key));
    case 'watches':
      return greatestFirst(accounts, ({ key }) => hub.topics.get(key)?.size ?? 0);
    case 'requests':
      return greatestFirst(accounts, ({ key }) => operatorView.accountLoads.perSecond(key));
    case 'latency':
      return greatestFirst(accounts, ({ key }) => operatorView.accountLoads.of(key).latencyMs?.p95 ?? 0);
  }
}

function describe(services: Services, account: Account): Result<'account.list'>['accounts'][number] {
  const { sessions, hub, views, operatorView } = services;
  const { key, stats, budget, longestWaitMs } = account;
  return {
    ...namesOf(key),
    ...stats,
    longestWaitMs: Math.round(longestWaitMs ?? 0),
    budget,
    paused: services.registry.isPaused(account),
    sessions: sessions.countOf(key),
    watches: hub.topics.get(key)?.size ?? 0,
    viewBytes: views.bytesOf(key),
    ...operatorView.accountLoads.of(key),
  };
}
