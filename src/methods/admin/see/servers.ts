import { loadsOf } from '../../../pool/server-load.js';
import type { Handler } from '../../context.js';

const handle: Handler<'server.list'> = async ({ services }) => {
  const { registry, servers } = services;
  const states = registry.servers;
  const loads = loadsOf(registry);
  return {
    servers: [...servers.keys()].map((name) => {
      const { accounts = 0, waiting = 0, belowBudget: reduced = 0 } = loads.get(name) ?? {};
      return {
        name,
        ...(states.get(name) ?? { state: 'closed' as const, failures: 0, retryAfterMs: 0 }),
        connections: registry.slots.of(name),
        connectionLimit: registry.slots.limitOf(name),
        learnedLimit: registry.slots.learnedOf(name) ?? null,
        ...{ accounts, waiting, reduced },
      };
    }),
  };
};

export default handle;
