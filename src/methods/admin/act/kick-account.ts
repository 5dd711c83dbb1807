import { BrokerError } from '../../../protocol/errors.js';
import { accountKey } from '../../../runtime/account-key.js';
import { checkNames } from '../../operators/check-names.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'account.kick'>(async ({ services }, { tenant, server, user }) => {
  checkNames(services, { tenant, server });
  const reason = new BrokerError('CANCELLED', 'An operator ended the connections of this account.');
  const kicked = services.registry.kick(accountKey({ tenant, server: { name: server }, user }), reason);
  if (!kicked) throw new BrokerError('NOT_FOUND', `user: "${user}" has no account in use there.`, { field: 'user' });
  return kicked;
});
