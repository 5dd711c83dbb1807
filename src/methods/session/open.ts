import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { infoOf } from './info-of.js';

const handle: Handler<'session.open'> = async (context, { server: serverName, user, auth }) => {
  const { services, tenant } = context;
  const server = services.servers.get(serverName);
  if (!server) {
    throw new BrokerError('SERVER_NOT_ALLOWED', `server: no IMAP server "${serverName}" is configured.`, {
      field: 'server',
    });
  }
  const name = { tenant: tenant.name, server, user };
  const account = await services.registry.prove(name, { user, ...auth }, jobOf(context, { effect: 'read' }));
  const { token, session } = services.sessions.open({
    tenant: tenant.name,
    server: serverName,
    user,
    accountKey: account.key,
  });
  try {
    return { session: token, ...(await infoOf(context, account, session)) };
  } catch (failure) {
    // The caller never learns this token, so nobody could end its session.
    services.sessions.close(tenant.name, token);
    throw failure;
  }
};

export default handle;
