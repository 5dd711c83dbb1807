import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';

const handle: Handler<'trace.start'> = async ({ services, events }, { tenant, server, user }) => {
  if (!services.servers.has(server)) {
    throw new BrokerError('NOT_FOUND', `server: no IMAP server "${server}" is configured.`, { field: 'server' });
  }
  if (tenant !== undefined && !services.tenantNames.has(tenant)) {
    throw new BrokerError('NOT_FOUND', `tenant: there is no application "${tenant}".`, { field: 'tenant' });
  }
  const { id, settle } = services.inside.tracing.start({ tenant, server, user }, events.subscriber);
  events.whenSettled(settle);
  return { trace: id };
};

export default handle;
