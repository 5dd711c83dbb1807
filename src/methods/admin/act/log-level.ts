import { deed } from '../../operators/operator-action.js';

export default deed<'log.level'>(async ({ services }, { level, forMs }) => ({
  level,
  before: services.operations.setLogLevel(level, forMs),
}));
