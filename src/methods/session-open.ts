import type { Account } from '../pool/account.js';
import type { Result } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import { accountKey } from '../runtime/account-key.js';
import type { Secret } from '../session/session.js';
import type { Handler, RequestContext } from './context.js';
import { jobOf } from './support/job.js';
import { secretOf } from './support/secret-of.js';
import { admitting } from './support/session-account.js';
import { infoOf } from './support/session-info.js';

export const openSession: Handler<'session.open'> = async (context, { server: serverName, user, auth, clientIp }) => {
  const { services, tenant, signal } = context;
  const server = services.servers.get(serverName);
  if (!server || tenant.servers?.includes(serverName) === false) {
    throw new BrokerError('SERVER_NOT_ALLOWED', `server: no IMAP server "${serverName}" is configured.`, {
      field: 'server',
    });
  }
  const { sessions: most } = tenant.quotas;
  if (services.sessions.count(tenant.name) >= most) {
    const message = `This application has ${most} sessions in use already.`;
    throw new BrokerError('RATE_LIMITED', message, { retryAfterMs: 60_000 });
  }
  const name = { tenant: tenant.name, server, user };
  const key = accountKey(name);
  const secret = secretOf(auth);
  const credentials = { user, ...secret, clientIp };
  const { proofs, registry } = services;
  const login = async () => {
    await registry.prove(name, credentials, jobOf(context, { effect: 'read' }));
  };
  return await admitting(services, key, async () => {
    await proofs.prove(key, secret, signal, login);
    return await openSessionOf(context, registry.adopt(name, credentials, true), secret);
  });
};

async function openSessionOf(
  context: RequestContext,
  account: Account,
  secret: Secret,
): Promise<Result<'session.open'>> {
  const { sessions } = context.services;
  const proven = { tenant: context.tenant.name, server: account.server.name, user: account.user, secret };
  const { token, session } = await sessions.open(proven);
  try {
    return { session: token, ...(await infoOf(context, account, session)) };
  } catch (failure) {
    // The caller never learns this token, so it could not end the session.
    await sessions.close(session);
    throw failure;
  }
}
