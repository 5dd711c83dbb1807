import type { AdminWork } from '../admin.js';

/** `imap-broker reload`: reads the configuration file again. */
export const reload: AdminWork = async ({ client, print }) => {
  print(await client.broker.reload({}), ({ changed, restart }) => {
    const none = changed.length + restart.length === 0 ? 'nothing is different\n' : '';
    return (
      none +
      changed.map((key) => `changed: ${key}\n`).join('') +
      restart.map((key) => `needs a restart: ${key}\n`).join('')
    );
  });
  return undefined;
};
