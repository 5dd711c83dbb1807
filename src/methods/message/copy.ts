import { askedFor } from '../support/canonical.js';
import type { Handler } from '../context.js';
import { once } from '../support/once.js';
import { copy } from './transferring.js';

const handle: Handler<'message.copy'> = (context, params) =>
  once(context, params.idempotencyKey, askedFor(params), () => copy(context, params));

export default handle;
