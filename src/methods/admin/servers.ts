import type { Handler } from '../context.js';

const handle: Handler<'server.list'> = async ({ services }) => {
  const { registry, servers } = services;
  const states = registry.servers;
  return {
    servers: [...servers.keys()].map((name) => ({
      name,
      ...(states.get(name) ?? { state: 'closed' as const, failures: 0, retryAfterMs: 0 }),
      connections: registry.slots.of(name),
    })),
  };
};

export default handle;
