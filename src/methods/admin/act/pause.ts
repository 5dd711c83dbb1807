import { checkNames } from '../../operators/check-names.js';
import { deed } from '../../operators/operator-action.js';

/** Milliseconds that the answer waits for the work of connections. */
const WAIT_MS = 10_000;
/** Milliseconds before its deadline at which the request is answered in any case. */
const SPARE_MS = 200;

export default deed<'broker.pause'>(async ({ services, deadlineAt }, { tenant, server, user }) => {
  const filter = { tenant, server, user };
  checkNames(services, filter);
  const { registry } = services;
  const waitMs = Math.max(0, Math.min(WAIT_MS, deadlineAt - Date.now() - SPARE_MS));
  const concerned = await registry.pause(filter, waitMs);
  return { ...concerned, paused: registry.paused };
});
