import { BrokerError } from '../../../protocol/errors.js';
import type { Handler } from '../../context.js';

const handle: Handler<'trace.stop'> = async ({ services, events }, { trace }) => {
  if (!services.inside.tracing.stop(trace, events.subscriber)) {
    throw new BrokerError('NOT_FOUND', `trace: this socket has no trace "${trace}".`, { field: 'trace' });
  }
  return { stopped: true };
};

export default handle;
