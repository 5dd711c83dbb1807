import { deed } from './deed.js';

export default deed<'log.level'>(async ({ services }, { level, forMs }) => ({
  level,
  before: services.operations.setLogLevel(level, forMs),
}));
