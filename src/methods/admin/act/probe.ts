import { probe } from '../../../imap/connection/probe.js';
import { BrokerError } from '../../../protocol/errors.js';
import { unknownServer } from '../../operators/check-names.js';
import { deed } from '../../operators/operator-action.js';

/** Milliseconds before the deadline at which the steps so far are answered. */
const SPARE_MS = 500;

export default deed<'server.probe'>(
  async ({ services, deadlineAt }, { server: name, user, password }) => {
    const server = services.servers.get(name);
    if (!server) throw unknownServer(name);
    if ((user === undefined) !== (password === undefined)) {
      const [field, other] = user === undefined ? ['user', 'password'] : ['password', 'user'];
      throw new BrokerError('INVALID_PARAMS', `${field}: is missing; it goes with ${other}.`, { field });
    }
    const credentials = user === undefined || password === undefined ? undefined : { user, password };
    const steps = await services.registry.beside(name, () => probe(server, credentials, deadlineAt - SPARE_MS));
    return { steps };
  },
  ({ server, user }) => ({ server, user }),
);
