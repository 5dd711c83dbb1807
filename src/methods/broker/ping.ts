import type { Handler } from '../context.js';

const handle: Handler<'broker.ping'> = async ({ services: { version, epoch } }) => ({
  version,
  epoch,
  time: new Date().toISOString(),
});

export default handle;
