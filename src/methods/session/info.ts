import type { Handler } from '../context.js';
import { infoOf } from './info-of.js';

const handle: Handler<'session.info'> = (context) => infoOf(context, context.account, context.session);

export default handle;
