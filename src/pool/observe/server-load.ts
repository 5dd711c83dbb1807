import type { Account } from '../account.js';
import type { AccountStats } from '../account-host.js';
import type { Registry } from '../registry.js';

/** Totals of the accounts of one server. */
export interface ServerLoad extends AccountStats {
  accounts: number;
  /** Accounts that may have fewer connections than is configured, because the server allows no more. */
  belowBudget: number;
}

const states = ['idle', 'busy', 'watching', 'connecting', 'waiting'] as const;
/** The load of a server without accounts. */
export const noLoad: ServerLoad = {
  idle: 0,
  busy: 0,
  watching: 0,
  connecting: 0,
  waiting: 0,
  accounts: 0,
  belowBudget: 0,
};

/** Accounts, connections and waiting jobs by server. */
export function loadsOf({ accounts, limits }: Pick<Registry, 'accounts' | 'limits'>): Map<string, ServerLoad> {
  const loads = new Map<string, ServerLoad>();
  for (const account of accounts) add(account, loads, limits.now.connectionsPerAccount);
  return loads;
}

function add({ server, stats, budget }: Account, loads: Map<string, ServerLoad>, most: number): void {
  const load = loads.get(server.name) ?? { ...noLoad };
  loads.set(server.name, load);
  for (const state of states) load[state] += stats[state];
  load.accounts += 1;
  if (budget < most) load.belowBudget += 1;
}
