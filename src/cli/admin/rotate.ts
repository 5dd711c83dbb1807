import type { AdminWork } from '../admin.js';

/** `imap-broker keys rotate` of a running broker. */
export const rotateThere: AdminWork = async ({ client, print }) => {
  print(
    await client.keys.rotate({}),
    ({ id, keys }) => `new tokens are sealed with the key ${id}; ${keys} keys open tokens.\n`,
  );
  return undefined;
};
