import { namesOf } from '../../../runtime/account-key.js';
import type { Handler } from '../../context.js';

const handle: Handler<'request.slowest'> = async ({ services }) => ({
  requests: services.inside.slowest.all.map(({ at, account, method = 'unknown', source = null, ...rest }) => {
    const { server = null, user = null } = account === undefined ? {} : namesOf(account);
    return { answeredAt: new Date(at).toISOString(), ...rest, method, server, user, source };
  }),
});

export default handle;
