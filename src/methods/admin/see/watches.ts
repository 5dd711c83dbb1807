import { keyMatcher, namesOf } from '../../../runtime/account-key.js';
import type { Handler } from '../../context.js';
import { pageOf } from '../../operators/paging.js';

const handle: Handler<'watch.list'> = async ({ services }, params) => {
  const matches = keyMatcher(params);
  const { members, total, nextOffset } = pageOf(services.hub.topics, params, ([key]) => matches(key));
  return { watches: members.map(([key, { facts }]) => ({ ...namesOf(key), ...facts })), total, nextOffset };
};

export default handle;
