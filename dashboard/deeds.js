import { confirmed } from './confirm.js';
import { counted, leftOf, quoted, visible, whose } from './words.js';

/** What the page can do to the broker: each is asked about first, and answers a sentence. */
export const deeds = {
  pause: (which) => ({
    title: `Pause ${whose(which)}?`,
    text: 'Requests wait, as long as they may wait for a connection. Connections are logged out after their current work.',
    verb: 'Pause',
    run: async (call) => {
      const { accounts, connections } = await call('broker.pause', which);
      const rest = connections === 0 ? 'no connection is left' : `${counted(connections, 'connection')} still at work`;
      return `Paused ${whose(which)}: ${counted(accounts, 'account')} in use, ${rest}.`;
    },
  }),
  resume: (which) => ({
    title: `Resume ${whose(which)}?`,
    text: 'Requests get connections again.',
    verb: 'Resume',
    run: async (call) => {
      await call('broker.resume', which);
      return `Resumed ${whose(which)}.`;
    },
  }),
  reconnect: (which) => ({
    title: `Reconnect ${whose(which)}?`,
    text: 'Connections are replaced: idle ones are logged out now, the others after their current work. No request is disturbed.',
    verb: 'Reconnect',
    run: async (call) => {
      const { connections } = await call('pool.reconnect', which);
      return `Reconnected ${whose(which)}: ${counted(connections, 'connection')} replaced.`;
    },
  }),
  drain: () => ({
    title: 'Drain the broker?',
    text: 'New requests are refused, running ones may finish, and the broker ends. This cannot be undone; a service manager may start the broker again.',
    verb: 'Drain',
    grave: true,
    run: async (call) => `Draining: ${leftOf(await call('broker.drain'))}.`,
  }),
  kick: (account) => ({
    title: `Kick ${whose(account)}?`,
    text: 'The connections of this account end at once, and requests that use or wait for them are cancelled. Sessions go on.',
    verb: 'Kick',
    grave: true,
    run: async (call) => {
      const { connections, requests } = await call('account.kick', account);
      return `Kicked ${whose(account)}: ${counted(connections, 'connection')} ended, ${counted(requests, 'request')} cancelled.`;
    },
  }),
  kickSocket: ({ id, tenant, peer, running }) => ({
    title: `Kick socket ${id}?`,
    text: `It is open for ${quoted(tenant)} from ${quoted(peer)}, with ${counted(running, 'unanswered request')}. It closes at once and its requests are cancelled. The application may connect again.`,
    verb: 'Kick',
    grave: true,
    run: async (call) => {
      await call('socket.kick', { socket: id });
      return `Kicked socket ${id}.`;
    },
  }),
  endSession: ({ id, tenant, server, user }) => ({
    title: `End session ${id}?`,
    text: `It is a session of ${whose({ tenant, server, user })}. The user has to log in again.`,
    verb: 'End',
    grave: true,
    run: async (call) => {
      const { lasts, everywhere } = await call('session.kick', { id });
      const holds = lasts ? '' : ' The end is not on the disk yet: see the log of the broker.';
      const told = everywhere === false ? ' Not all brokers know of it yet.' : '';
      return `Ended session ${id}.${holds}${told}`;
    },
  }),
};

/** Does a deed if it is confirmed, and says what came of it. @param say takes a sentence */
export async function doDeed(deed, call, say) {
  if (!(await confirmed(deed))) return;
  say(`${deed.verb}: under way.`);
  try {
    say(await deed.run(call));
  } catch (error) {
    say(`${deed.verb} failed: ${visible(error.message)}`);
  }
}
