import type { Command } from 'commander';
import type { AdminContext } from '../admin.js';

/** Which accounts a command is about. */
export interface AccountSelection {
  tenant?: string;
  server?: string;
  user?: string;
}

/** Adds the options that say which accounts a command is about; without options it is about all accounts. */
export function addAccountOptions(command: Command): Command {
  return command
    .option('--tenant <name>', 'only of this web application')
    .option('--server <name>', 'only on this IMAP server')
    .option('--user <name>', 'only of this login name');
}

export function selectionOf({ options }: AdminContext): AccountSelection {
  const { tenant, server, user } = options as AccountSelection;
  return { ...(tenant && { tenant }), ...(server && { server }), ...(user && { user }) };
}

/** In words: `tenant webmail, user anna`, or `everything`. */
export function selectionText(
  selection: { [Name in keyof AccountSelection]?: AccountSelection[Name] | undefined },
): string {
  const parts = Object.entries(selection).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'everything' : parts.join(', ');
}
