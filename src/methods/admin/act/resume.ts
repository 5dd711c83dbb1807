import { BrokerError } from '../../../protocol/errors.js';
import { checkNames } from '../../operators/check-names.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'broker.resume'>(async ({ services }, { tenant, server, user }) => {
  const filter = { tenant, server, user };
  checkNames(services, filter);
  const { registry } = services;
  const resumed = registry.resume(filter);
  if (resumed === 0) {
    const others = registry.paused.length > 0 ? '; what is paused has another name or is more than that' : '';
    throw new BrokerError('NOT_FOUND', `Nothing of this is paused${others}.`);
  }
  return { resumed, paused: registry.paused };
});
