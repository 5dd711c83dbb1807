import type { Handler } from '../../context.js';
import type { SeenSocket, StreamFacts } from '../../operators/inside.js';
import { pageOf } from '../../operators/paging.js';

const handle: Handler<'stream.list'> = async ({ services }, params) => {
  const all = streamsOf(services.inside.sockets, params.tenant);
  const { members, total, nextOffset } = pageOf(all, params, () => true);
  const streams = members.map(([{ id, tenant }, facts]) => ({ socket: id, tenant, ...facts }));
  return { streams, total, nextOffset };
};

function* streamsOf(sockets: Iterable<SeenSocket>, tenant: string | undefined): Generator<[SeenSocket, StreamFacts]> {
  for (const socket of sockets) {
    if (tenant !== undefined && socket.tenant !== tenant) continue;
    for (const facts of socket.streams) yield [socket, facts];
  }
}

export default handle;
