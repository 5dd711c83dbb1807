import { checkNames } from '../known.js';
import { deed } from './deed.js';

export default deed<'pool.reconnect'>(async ({ services }, { tenant, server, user }) => {
  const filter = { tenant, server, user };
  checkNames(services, filter);
  return services.registry.reconnect(filter);
});
