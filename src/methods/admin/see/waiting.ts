import { BrokerError } from '../../../protocol/errors.js';
import { accountKey } from '../../../runtime/account-key.js';
import type { Handler } from '../../context.js';
import { checkNames } from '../../operators/check-names.js';

const MOST = 100;

const handle: Handler<'request.waiting'> = async ({ services }, { tenant, server, user }) => {
  checkNames(services, { tenant, server });
  const account = services.registry.get(accountKey({ tenant, server: { name: server }, user }));
  if (!account) throw new BrokerError('NOT_FOUND', `user: "${user}" has no account in use there.`, { field: 'user' });
  const all = [...account.waiting].sort((one, other) => one.since - other.since);
  const requests = all.slice(0, MOST).map(({ job, waitedMs }) => ({
    method: job.label,
    lane: job.lane ?? ('interactive' as const),
    waitedMs: Math.round(waitedMs),
  }));
  return { requests, total: all.length };
};

export default handle;
