import type { Handler } from '../context.js';

const handle: Handler<'session.close'> = async ({ services, session }) => {
  const { lasts } = await services.sessions.close(session);
  return { closed: true, lasts };
};

export default handle;
