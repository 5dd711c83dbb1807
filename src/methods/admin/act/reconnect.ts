import { checkNames } from '../../operators/check-names.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'pool.reconnect'>(async ({ services }, { tenant, server, user }) => {
  const filter = { tenant, server, user };
  checkNames(services, filter);
  return services.registry.reconnect(filter);
});
