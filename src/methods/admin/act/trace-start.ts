import type { Handler } from '../../context.js';
import { checkNames } from '../../operators/check-names.js';

const handle: Handler<'trace.start'> = async ({ services, events }, { tenant, server, user }) => {
  checkNames(services, { tenant, server });
  const { id, settle } = services.inside.tracing.start({ tenant, server, user }, events.subscriber);
  events.whenSettled(settle);
  return { trace: id };
};

export default handle;
