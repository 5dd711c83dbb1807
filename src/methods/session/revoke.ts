import { deed } from '../operators/operator-action.js';
import { checkNames } from '../operators/check-names.js';

export default deed<'session.revoke'>(async ({ services }, { tenant, user }) => {
  checkNames(services, { tenant });
  return await services.sessions.revoke(tenant, user);
});
