import type { AdminWork } from '../admin.js';
import { table } from '../table.js';
import { columnsOf } from './lists.js';

const COLUMNS = columnsOf(['KEY', 'VALUE', 'FROM']);

/** `imap-broker config`: the configuration that holds, and where each value comes from. */
export const config: AdminWork = async ({ client, print }) => {
  print(await client.config.get({}), ({ settings }, screen) =>
    table(
      COLUMNS,
      settings.map(({ key, value, source }) => [
        key,
        Array.isArray(value) ? `[${value.join(', ')}]` : `${value}`,
        source,
      ]),
      screen,
    ),
  );
  return undefined;
};
