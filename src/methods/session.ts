import { BrokerError } from '../protocol/errors.js';
import type { sessionMethods } from '../protocol/methods/session.js';
import { serverGone } from '../session/session.js';
import type { Handlers } from './context.js';
import { openSession } from './session-open.js';
import { jobOf } from './support/job.js';
import { secretOf } from './support/secret-of.js';
import { admitting } from './support/session-account.js';
import { infoOf } from './support/session-info.js';

/** Handlers of the methods in `src/protocol/methods/session.ts`. */
export const sessionHandlers = {
  'session.open': openSession,
  'session.info': (context) => infoOf(context, context.account, context.session),
  'session.refresh': async (context, { auth }) => {
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
  },
  'session.renew': async ({ services, session }) => {
    const renewed = await services.sessions.renew(session);
    return {
      session: renewed.token,
      expiresAt: new Date(renewed.session.expiresAt).toISOString(),
      endsAt: new Date(renewed.session.endsAt).toISOString(),
    };
  },
  'session.close': async ({ services, session }) => {
    return { closed: true, ...(await services.sessions.close(session)) };
  },
} satisfies Pick<Handlers, keyof typeof sessionMethods>;
