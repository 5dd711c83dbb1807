import type { Account } from '../../pool/account.js';
import { accountKey } from '../../pool/registry.js';
import type { Result } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler, RequestContext } from '../context.js';
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
  try {
    const job = jobOf(context, { effect: 'read' });
    return await services.registry.prove(name, { user, ...auth }, job, (account) => admit(context, account));
  } catch (failure) {
    const key = accountKey(name);
    if (!services.sessions.hasAccount(key)) void services.registry.close(key);
    throw failure;
  }
};

async function admit(context: RequestContext, account: Account): Promise<Result<'session.open'>> {
  const { sessions } = context.services;
  const proven = { server: account.server.name, user: account.user, accountKey: account.key };
  const { token, session } = sessions.open({ tenant: context.tenant.name, ...proven });
  try {
    return { session: token, ...(await infoOf(context, account, session)) };
  } catch (failure) {
    // The caller never learns this token, so nobody could end its session.
    sessions.close(context.tenant.name, token);
    throw failure;
  }
}

export default handle;
