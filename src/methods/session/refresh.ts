import { BrokerError } from '../../protocol/errors.js';
import { serverGone } from '../../session/session.js';
import type { Handler } from '../context.js';
import { jobOf } from '../support/job.js';
import { admitting } from '../support/session-account.js';
import { secretOf } from '../support/secret-of.js';

const handle: Handler<'session.refresh'> = async (context, { auth }) => {
  const { services, session } = context;
  const { tenant, user, accountKey } = session;
  if ('password' in session.secret) {
    throw new BrokerError('INVALID_PARAMS', 'session: it was opened with a password, which does not expire.', {
      field: 'session',
    });
  }
  const server = services.servers.get(session.server);
  if (!server) throw serverGone();
  const secret = secretOf(auth);
  const login = async () => {
    const job = jobOf(context, { effect: 'read' });
    await services.registry.prove({ tenant, server, user }, { user, ...secret }, job);
  };
  const renewed = await admitting(services, accountKey, async () => {
    await services.proofs.prove(accountKey, secret, context.signal, login);
    return await services.sessions.renew(session, secret);
  });
  return {
    session: renewed.token,
    expiresAt: new Date(renewed.session.expiresAt).toISOString(),
    endsAt: new Date(renewed.session.endsAt).toISOString(),
  };
};

export default handle;
