import type { Handler } from '../../context.js';
import { pageOf } from '../../operators/paging.js';

const handle: Handler<'socket.list'> = async ({ services }, params) => {
  const { inside, hub } = services;
  const matches = (tenant: string) => params.tenant === undefined || tenant === params.tenant;
  const { members, total, nextOffset } = pageOf(inside.sockets, params, (socket) => matches(socket.tenant));
  const sockets = members.map(({ facts: { subscriber, ...facts } }) => ({
    ...facts,
    watches: hub.countOf(subscriber),
  }));
  return { sockets, total, nextOffset };
};

export default handle;
