import type { AdminWork } from '../admin.js';
import { counted } from '../units.js';

/** `imap-broker kick account`: ends the connections of an account and their work at once. */
export const kickAccount: AdminWork = async ({ client, print, args }) => {
  const [tenant = '', server = '', user = ''] = args;
  print(
    await client.account.kick({ tenant, server, user }),
    ({ connections, requests }) =>
      `${counted(connections, 'connection')} ended, ${counted(requests, 'request')} cancelled\n`,
  );
  return undefined;
};

/** `imap-broker kick socket`: closes a WebSocket. */
export const kickSocket: AdminWork = async ({ client, print, args }) => {
  const [socket = ''] = args;
  print(await client.socket.kick({ socket }), ({ tenant }) => `closed ${socket} of ${tenant}\n`);
  return undefined;
};

/** `imap-broker kick session`: ends one session. */
export const kickSession: AdminWork = async ({ client, print, args }) => {
  const [id = ''] = args;
  print(
    await client.session.kick({ id }),
    ({ tenant, server, user, ...holds }) => `ended a session of ${user} on ${server}, of ${tenant}\n${warning(holds)}`,
  );
  return undefined;
};

/** `imap-broker session revoke`: ends all sessions of an application or of one of its users. */
export const revoke: AdminWork = async ({ client, print, args }) => {
  const [tenant = '', user] = args;
  print(
    await client.session.revoke(user === undefined ? { tenant } : { tenant, user }),
    ({ accounts, ...holds }) => `revoked; ${counted(accounts, 'account')} logged out\n${warning(holds)}`,
  );
  return undefined;
};

function warning({ lasts, everywhere }: { lasts: boolean; everywhere: boolean | null }): string {
  const here = 'not on the disk yet: until the broker can write its list, this ends with a restart\n';
  const there = 'other brokers do not know of it yet: the store that they share cannot be reached\n';
  return (lasts ? '' : here) + (everywhere === false ? there : '');
}
