import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { handlers } from '../../src/methods/handlers.js';
import { Prepared } from '../../src/methods/support/prepared.js';
import { contract, type MethodName, type Params, type ParamsIn, type Result } from '../../src/protocol/contract.js';
import { type Dovecot, PASSWORD } from './dovecot.js';
import { directAccount, handlerContext } from './handler-context.js';

type Asked<M extends MethodName> = Omit<ParamsIn<M>, 'session'>;
type AnyHandler = (context: unknown, params: unknown) => Promise<unknown>;

/** Asks one user's mail by the handlers, over one real connection: params and results are held against the contract. */
export async function asker(dovecot: Dovecot, user: string, server: Partial<ServerOptions> = {}) {
  const account = await directAccount(dovecot.server(server), { user, password: PASSWORD });
  const ask = async <M extends MethodName>(
    method: M,
    params: Asked<M>,
    options: Parameters<typeof handlerContext>[2] = {},
  ): Promise<Result<M>> => {
    const parsed = contract[method].params.parse({ session: 'x', ...params }) as Params<M>;
    const context = handlerContext(method, account, options);
    const result = await (handlers[method] as unknown as AnyHandler)(context, parsed);
    return contract[method].result.parse(result instanceof Prepared ? JSON.parse(result.json()) : result) as Result<M>;
  };
  const uidValidity = async (mailbox = 'INBOX') => (await account.connection.select(mailbox)).uidValidity;
  return { ask, uidValidity, account, close: () => account.close() };
}

export type Asker = Awaited<ReturnType<typeof asker>>;
