import type { Handler } from '../context.js';

const handle: Handler<'account.list'> = async ({ services }, { limit, offset }) => {
  const { registry, limits } = services;
  const { stats } = registry;
  const page = [...stats].slice(offset, offset + limit);
  return {
    total: stats.size,
    accounts: page.map(([key, numbers]) => {
      const [tenant = '', server = '', user = ''] = JSON.parse(key) as string[];
      const budget = registry.get(key)?.budget ?? limits.connectionsPerAccount;
      return { tenant, server, user, ...numbers, budget };
    }),
    nextOffset: offset + limit < stats.size ? offset + limit : null,
  };
};

export default handle;
