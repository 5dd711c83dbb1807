import { canonicalName } from '../../imap/wire/mailbox-names.js';
import { BrokerError } from '../../protocol/errors.js';
import { askedFor } from '../support/canonical.js';
import type { Handler } from '../context.js';
import { once } from '../support/once.js';
import { move } from './transferring.js';

const handle: Handler<'message.move'> = async (context, params) => {
  const { destination, mailbox } = params;
  if (canonicalName(destination) === canonicalName(mailbox)) {
    throw new BrokerError('INVALID_PARAMS', 'destination: the messages are in this folder already.', {
      field: 'destination',
    });
  }
  return once(context, params.idempotencyKey, askedFor(params), () => move(context, params));
};

export default handle;
