import type { Handler } from '../context.js';

const handle: Handler<'session.close'> = async ({ services, session }) => {
  await services.sessions.close(session);
  return { closed: true };
};

export default handle;
