import type { Handler } from '../context.js';
import { infoOf } from '../support/session-info.js';

const handle: Handler<'session.info'> = (context) => infoOf(context, context.account, context.session);

export default handle;
