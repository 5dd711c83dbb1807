import type { Handler } from '../context.js';

const handle: Handler<'server.list'> = async ({ services }) => {
  const { registry, servers } = services;
  const states = registry.servers;
  const byServer = new Map([...servers.keys()].map((name) => [name, { accounts: 0, waiting: 0, reduced: 0 }]));
  for (const { server, stats, budget } of registry.accounts) {
    const counts = byServer.get(server.name);
    if (!counts) continue;
    counts.accounts += 1;
    counts.waiting += stats.waiting;
    if (budget < registry.limits.connectionsPerAccount) counts.reduced += 1;
  }
  return {
    servers: [...byServer].map(([name, counts]) => ({
      name,
      ...(states.get(name) ?? { state: 'closed' as const, failures: 0, retryAfterMs: 0 }),
      connections: registry.slots.of(name),
      connectionLimit: registry.limits.connectionsPerServer,
      ...counts,
    })),
  };
};

export default handle;
