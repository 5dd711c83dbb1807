import { deed } from '../admin/act/deed.js';
import { checkNames } from '../admin/known.js';

export default deed<'session.revoke'>(async ({ services }, { tenant, user }) => {
  checkNames(services, { tenant });
  return await services.sessions.revoke(tenant, user);
});
