import type { Handler } from '../context.js';

const handle: Handler<'session.close'> = async ({ services, tenant }, { session }) => {
  services.sessions.close(tenant.name, session);
  return { closed: true };
};

export default handle;
