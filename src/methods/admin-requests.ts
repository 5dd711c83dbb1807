import { BrokerError } from '../protocol/errors.js';
import type { adminRequestMethods } from '../protocol/methods/admin-requests.js';
import { accountKey, namesOf } from '../runtime/account-key.js';
import type { Handlers } from './context.js';
import { checkNames } from './operators/check-names.js';

/** Most waiting requests that one answer has, the longest waiting first. */
const MOST_WAITING = 100;

/** Handlers of the methods in `src/protocol/methods/admin-requests.ts`. */
export const adminRequestHandlers = {
  'request.slowest': async ({ services }) => ({
    requests: services.operatorView.slowest.all.map(({ at, account, method = 'unknown', source = null, ...rest }) => {
      const { server = null, user = null } = account === undefined ? {} : namesOf(account);
      return { answeredAt: new Date(at).toISOString(), ...rest, method, server, user, source };
    }),
  }),
  'request.waiting': async ({ services }, { tenant, server, user }) => {
    checkNames(services, { tenant, server });
    const account = services.registry.get(accountKey({ tenant, server: { name: server }, user }));
    if (!account)
      throw new BrokerError('NOT_FOUND', `user: "${user}" has no account in use at that server.`, { field: 'user' });
    const all = [...account.waiting].sort((one, other) => one.since - other.since);
    const requests = all.slice(0, MOST_WAITING).map(({ job, waitedMs }) => ({
      method: job.label,
      lane: job.lane ?? ('interactive' as const),
      waitedMs: Math.round(waitedMs),
    }));
    return { requests, total: all.length };
  },
} satisfies Pick<Handlers, keyof typeof adminRequestMethods>;
