import type { Command } from 'commander';
import type { AdminContext } from '../admin.js';

/** Which accounts a command is about. */
export interface Which {
  tenant?: string;
  server?: string;
  user?: string;
}

/** Adds the options that say which accounts a command is about; without options it is about all accounts. */
export function addWhich(command: Command): Command {
  return command
    .option('--tenant <name>', 'of this web application alone')
    .option('--server <name>', 'on this IMAP server alone')
    .option('--user <name>', 'of this login name alone');
}

export function whichOf({ options }: AdminContext): Which {
  const { tenant, server, user } = options as Which;
  return { ...(tenant && { tenant }), ...(server && { server }), ...(user && { user }) };
}

/** In words: `tenant webmail, user anna`, or `everything`. */
export function inWords(which: { [Name in keyof Which]?: Which[Name] | undefined }): string {
  const parts = Object.entries(which).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

/** `1 connection`, `2 connections`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
