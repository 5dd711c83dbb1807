import { BrokerError } from '../../../protocol/errors.js';
import { namesOf } from '../../../runtime/account-key.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'session.kick'>(async ({ services }, { id }) => {
  const kicked = services.sessions.kick(id);
  if (!kicked) {
    throw new BrokerError('NOT_FOUND', `id: no session "${id}" is in use at this broker.`, { field: 'id' });
  }
  return { ...namesOf(kicked.accountKey), lasts: kicked.lasts };
});
