import type { Handler } from '../../context.js';

const handle: Handler<'config.get'> = async ({ services: { inside, log } }) => ({
  settings: inside.settings.map((one) =>
    one.key === 'log.level' && one.value !== log.level
      ? { ...one, value: log.level, source: 'operator' as const }
      : one,
  ),
});

export default handle;
