import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';

const handle: Handler<'session.revoke'> = async ({ services }, { tenant, user }) => {
  if (!services.tenantNames.has(tenant)) {
    throw new BrokerError('NOT_FOUND', `tenant: there is no application "${tenant}".`, { field: 'tenant' });
  }
  return { accounts: await services.sessions.revoke(tenant, user) };
};

export default handle;
