import { keyMatcher, namesOf } from '../../../runtime/account-key.js';
import type { Handler } from '../../context.js';
import { pageOf } from '../../operators/paging.js';

const handle: Handler<'session.list'> = async ({ services }, params) => {
  const matches = keyMatcher(params);
  const page = pageOf(services.sessions.live, params, ([, { accountKey }]) => matches(accountKey));
  const { members, total, nextOffset } = page;
  const sessions = members.map(([id, { accountKey, openedAt, expiresAt }]) => ({
    id,
    ...namesOf(accountKey),
    openedAt: new Date(openedAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }));
  return { sessions, total, nextOffset };
};

export default handle;
