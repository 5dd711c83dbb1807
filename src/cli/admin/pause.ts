import type { AdminWork } from '../admin.js';
import { counted } from '../units.js';
import { type AccountSelection, selectionOf, selectionText } from './account-selection.js';

/** `imap-broker pause`: requests wait until `resume`. */
export const pause: AdminWork = async (context) => {
  const selection = selectionOf(context);
  context.print(await context.client.broker.pause(selection), ({ accounts, connections }) => {
    const rest = connections === 0 ? 'no connection is left' : `${counted(connections, 'connection')} still at work`;
    return `paused: ${selectionText(selection)}; ${counted(accounts, 'account')} in use, ${rest}\n`;
  });
  return undefined;
};

/** `imap-broker resume`: ends a pause. */
export const resume: AdminWork = async (context) => {
  const selection = selectionOf(context);
  context.print(
    await context.client.broker.resume(selection),
    ({ paused }) => `resumed: ${selectionText(selection)}\n${paused.map(stillPaused).join('')}`,
  );
  return undefined;
};

/** `imap-broker reconnect`: replaces connections after their current work. */
export const reconnect: AdminWork = async (context) => {
  context.print(
    await context.client.pool.reconnect(selectionOf(context)),
    ({ accounts, connections }) =>
      `${counted(connections, 'connection')} of ${counted(accounts, 'account')} will be replaced\n`,
  );
  return undefined;
};

function stillPaused(selection: Partial<Record<keyof AccountSelection, string | undefined>>): string {
  return `still paused: ${selectionText(selection)}\n`;
}
