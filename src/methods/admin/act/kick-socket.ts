import { BrokerError } from '../../../protocol/errors.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'socket.kick'>(async ({ services }, { socket }) => {
  const tenant = services.operations.kickSocket(socket);
  if (tenant === undefined) {
    throw new BrokerError('NOT_FOUND', `socket: there is no socket "${socket}".`, { field: 'socket' });
  }
  return { tenant };
});
