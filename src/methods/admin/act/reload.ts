import { deed } from './deed.js';

export default deed<'broker.reload'>(async ({ services }) => services.operations.reload());
