import type { MethodName, Params } from '../../protocol/contract.js';
import type { Handler, RequestContext } from '../context.js';

/**
 * A handler of an operator's action, which is logged with the name of the operator's tenant.
 * @param logged the params that are logged, where not all of them may be in the log
 */
export function operatorAction<M extends MethodName>(
  handle: Handler<M>,
  logged: (params: Params<M>) => object = (params) => params,
): Handler<M> {
  return async (context, params) => {
    const { method, tenant, services } = context as RequestContext;
    const result = await handle(context, params);
    const { timeoutMs, ...what } = logged(params) as { timeoutMs?: number };
    services.log.info({ method, operator: tenant.name, ...what }, 'done by an operator');
    return result;
  };
}
