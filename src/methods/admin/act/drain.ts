import { deed } from '../../operators/operator-action.js';

export default deed<'broker.drain'>(async ({ services }, { graceMs }) => {
  services.operations.drain(graceMs);
  return services.operations.remaining;
});
