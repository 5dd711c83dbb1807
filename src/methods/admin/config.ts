import type { Handler } from '../context.js';

const handle: Handler<'config.get'> = async ({ services }) => ({ settings: [...services.inside.settings] });

export default handle;
