import { openRpcDocument } from '../../protocol/openrpc.js';
import type { Handler } from '../context.js';

const handle: Handler<'rpc.discover'> = async ({ services }) => openRpcDocument(services.version);

export default handle;
