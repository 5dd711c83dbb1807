import type { Handler } from '../context.js';

const handle: Handler<'session.renew'> = async ({ services, session }) => {
  const renewed = await services.sessions.renew(session);
  return {
    session: renewed.token,
    expiresAt: new Date(renewed.session.expiresAt).toISOString(),
    endsAt: new Date(renewed.session.endsAt).toISOString(),
  };
};

export default handle;
