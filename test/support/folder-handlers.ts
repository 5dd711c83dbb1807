import type { SessionContext } from '../../src/methods/context.js';
import { mailboxHandlers } from '../../src/methods/mailbox.js';
import { contract, type ParamsIn, type Result } from '../../src/protocol/contract.js';

/** The handlers of requests without `ifState`, with the defaults of params: they answer in full. */
export const list = async (context: SessionContext, params: ParamsIn<'mailbox.list'>) => {
  const whole = contract['mailbox.list'].params.parse(params);
  return inFull<Result<'mailbox.list'>>(await mailboxHandlers['mailbox.list'](context, whole));
};

export const status = async (context: SessionContext, params: ParamsIn<'mailbox.status'>) =>
  inFull<Result<'mailbox.status'>>(await mailboxHandlers['mailbox.status'](context, params));

function inFull<T extends object>(answer: T | { unchanged: true }): T {
  if ('unchanged' in answer) throw new Error('answered that nothing has changed');
  return answer;
}
