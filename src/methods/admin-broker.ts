import { BrokerError } from '../protocol/errors.js';
import type { adminBrokerMethods } from '../protocol/methods/admin-broker.js';
import { brokerStatus } from './broker-status.js';
import type { Handlers } from './context.js';
import { checkNames } from './operators/check-names.js';

/** Handlers of the methods in `src/protocol/methods/admin-broker.ts`. */
export const adminBrokerHandlers = {
  'broker.status': brokerStatus,
  'broker.history': async ({ services: { operatorView } }) => {
    const { stepMs, endedAt, columns } = operatorView.history;
    return { stepMs, endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(), columns };
  },
  'config.get': async ({ services: { operatorView, log } }) => ({
    settings: operatorView.settings.map((one) =>
      one.key === 'log.level' && one.value !== log.level
        ? { ...one, value: log.level, source: 'operator' as const }
        : one,
    ),
  }),
  'trace.start': async ({ services, events }, { tenant, server, user }) => {
    checkNames(services, { tenant, server });
    const { id, settle } = services.operatorView.tracing.start({ tenant, server, user }, events.subscriber);
    events.whenSettled(settle);
    return { trace: id };
  },
  'trace.stop': async ({ services, events }, { trace }) => {
    if (!services.operatorView.tracing.stop(trace, events.subscriber)) {
      throw new BrokerError('NOT_FOUND', `trace: this socket has no trace "${trace}".`, { field: 'trace' });
    }
    return { stopped: true };
  },
} satisfies Pick<Handlers, keyof typeof adminBrokerMethods>;
