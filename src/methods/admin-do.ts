import { probe } from '../imap/connection/probe.js';
import { BrokerError } from '../protocol/errors.js';
import type { adminDoMethods } from '../protocol/methods/admin-do.js';
import { accountKey, namesOf } from '../runtime/account-key.js';
import { KeyFileError } from '../session/key-ring.js';
import type { Handlers } from './context.js';
import { checkNames, unknownServer } from './operators/check-names.js';
import { operatorAction } from './operators/operator-action.js';

/** Milliseconds before the deadline at which the steps of a probe so far are answered. */
const PROBE_SPARE_MS = 500;

/** Milliseconds that the answer to a pause waits for the work of connections. */
const PAUSE_WAIT_MS = 10_000;
/** Milliseconds before the deadline of a pause at which it is answered in any case. */
const PAUSE_SPARE_MS = 200;

/** Handlers of the methods in `src/protocol/methods/admin-do.ts`. */
export const adminDoHandlers = {
  'broker.drain': operatorAction<'broker.drain'>(async ({ services }, { graceMs }) => {
    services.operations.drain(graceMs);
    return services.operations.remaining;
  }),
  'broker.remaining': async ({ services }) => services.operations.remaining,
  'broker.reload': operatorAction<'broker.reload'>(async ({ services }) => services.operations.reload()),
  'log.level': operatorAction<'log.level'>(async ({ services }, { level, forMs }) => ({
    level,
    before: services.operations.setLogLevel(level, forMs),
  })),
  'keys.rotate': operatorAction<'keys.rotate'>(async ({ services }) => {
    try {
      return services.operations.rotateKeys();
    } catch (error) {
      // A file that the broker may only read, as a credential of systemd, is rotated where it comes from.
      if (error instanceof KeyFileError)
        throw new BrokerError('FORBIDDEN', `The broker can do nothing: ${error.message}.`, { cause: error });
      throw error;
    }
  }),
  'server.probe': operatorAction<'server.probe'>(
    async ({ services, deadlineAt }, { server: name, user, password }) => {
      const server = services.servers.get(name);
      if (!server) throw unknownServer(name);
      if ((user === undefined) !== (password === undefined)) {
        const [field, other] = user === undefined ? ['user', 'password'] : ['password', 'user'];
        throw new BrokerError('INVALID_PARAMS', `${field}: is missing; it goes with ${other}.`, { field });
      }
      const credentials = user === undefined || password === undefined ? undefined : { user, password };
      const steps = await services.registry.beside(name, () => probe(server, credentials, deadlineAt - PROBE_SPARE_MS));
      return { steps };
    },
    ({ server, user }) => ({ server, user }),
  ),
  'broker.pause': operatorAction<'broker.pause'>(async ({ services, deadlineAt }, { tenant, server, user }) => {
    const filter = { tenant, server, user };
    checkNames(services, filter);
    const { registry } = services;
    const waitMs = Math.max(0, Math.min(PAUSE_WAIT_MS, deadlineAt - Date.now() - PAUSE_SPARE_MS));
    const concerned = await registry.pause(filter, waitMs);
    return { ...concerned, paused: registry.paused };
  }),
  'broker.resume': operatorAction<'broker.resume'>(async ({ services }, { tenant, server, user }) => {
    const filter = { tenant, server, user };
    checkNames(services, filter);
    const { registry } = services;
    const resumed = registry.resume(filter);
    if (resumed === 0) {
      const others = registry.paused.length > 0 ? '; what is paused has another name or is more than that' : '';
      throw new BrokerError('NOT_FOUND', `There is no such pause${others}.`);
    }
    return { resumed, paused: registry.paused };
  }),
  'pool.reconnect': operatorAction<'pool.reconnect'>(async ({ services }, { tenant, server, user }) => {
    const filter = { tenant, server, user };
    checkNames(services, filter);
    return services.registry.reconnect(filter);
  }),
  'account.kick': operatorAction<'account.kick'>(async ({ services }, { tenant, server, user }) => {
    checkNames(services, { tenant, server });
    const reason = new BrokerError('CANCELLED', 'An operator ended the connections of this account.');
    const kicked = services.registry.kick(accountKey({ tenant, server: { name: server }, user }), reason);
    if (!kicked)
      throw new BrokerError('NOT_FOUND', `user: "${user}" has no account in use at that server.`, { field: 'user' });
    return kicked;
  }),
  'socket.kick': operatorAction<'socket.kick'>(async ({ services }, { socket }) => {
    const tenant = services.operations.kickSocket(socket);
    if (tenant === undefined) {
      throw new BrokerError('NOT_FOUND', `socket: there is no socket "${socket}".`, { field: 'socket' });
    }
    return { tenant };
  }),
  'session.kick': operatorAction<'session.kick'>(async ({ services }, { id }) => {
    const kicked = await services.sessions.kick(id);
    if (!kicked) {
      throw new BrokerError('NOT_FOUND', `id: no session "${id}" is in use at this broker.`, { field: 'id' });
    }
    const { lasts, everywhere } = kicked;
    return { ...namesOf(kicked.accountKey), lasts, everywhere };
  }),
  'session.revoke': operatorAction<'session.revoke'>(async ({ services }, { tenant, user }) => {
    checkNames(services, { tenant });
    return await services.sessions.revoke(tenant, user);
  }),
} satisfies Pick<Handlers, keyof typeof adminDoMethods>;
