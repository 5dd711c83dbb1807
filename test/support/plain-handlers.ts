import type { PreparedHandler } from '../../src/methods/context.js';
import { getMessages as getPrepared } from '../../src/methods/message/get.js';
import { listMessages as listPrepared } from '../../src/methods/message/list.js';
import type { MethodName, Params, Result } from '../../src/protocol/contract.js';

/** Handlers whose results are JSON already, with the result as an object. */
export const get = plain<'message.get'>(getPrepared);
export const list = plain<'message.list'>(listPrepared);

function plain<M extends MethodName>(handler: PreparedHandler<M>) {
  return async (context: Parameters<typeof handler>[0], params: Params<M>): Promise<Result<M>> =>
    JSON.parse((await handler(context, params)).json());
}
