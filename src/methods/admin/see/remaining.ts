import type { Handler } from '../../context.js';

const handle: Handler<'broker.remaining'> = async ({ services }) => services.operations.remaining;

export default handle;
