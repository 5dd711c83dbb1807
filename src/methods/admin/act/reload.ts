import { deed } from '../../operators/operator-action.js';

export default deed<'broker.reload'>(async ({ services }) => services.operations.reload());
