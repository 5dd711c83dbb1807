import { confirmed } from './confirm.js';
import { counted, leftOf, whose } from './words.js';

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
  drain: () => ({
    title: 'Drain the broker?',
    text: 'New requests are refused, running ones may finish, and the broker ends. It cannot be undone; a service manager may start it again.',
    verb: 'Drain',
    run: async (call) => `Draining: ${leftOf(await call('broker.drain'))}.`,
  }),
  kick: (account) => ({
    title: `Kick ${whose(account)}?`,
    text: 'Its connections end at once, and requests that use or wait for them are cancelled. Its sessions go on.',
    verb: 'Kick',
    run: async (call) => {
      const { connections, requests } = await call('account.kick', account);
      return `Kicked ${whose(account)}: ${counted(connections, 'connection')} ended, ${counted(requests, 'request')} cancelled.`;
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
    say(`${deed.verb} failed: ${error.message}`);
  }
}
