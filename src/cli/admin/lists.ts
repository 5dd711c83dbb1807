import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdminContext } from '../admin.js';
import type { Colour, Screen } from '../screen.js';
import { type Column, type Row, table } from '../table.js';

/** Which part of a list, as options say it. */
export interface ListParams {
  limit: number;
  offset: number;
  tenant?: string;
  server?: string;
  user?: string;
}

/** Adds the options that say which part of a list is shown. */
export function withPaging(command: Command): Command {
  return withTenant(command)
    .addOption(new Option('--limit <count>', 'most rows to show').argParser(limitOf).default(100))
    .addOption(new Option('--offset <count>', 'rows to skip').argParser(offsetOf).default(0));
}

/** Adds the options that say which part of a list is shown, and those that choose accounts. */
export function withAccounts(command: Command): Command {
  return withPaging(command)
    .option('--server <name>', 'only those at this IMAP server')
    .option('--user <name>', 'only those of this login name');
}

function withTenant(command: Command): Command {
  return command.option('--tenant <name>', 'only those of this web application');
}

/** The options of a list as its method takes them. */
export function listParams({ options }: AdminContext): ListParams {
  return options as unknown as ListParams;
}

/** A table of one page, and what to do for the rest. */
export function pageTable(
  columns: readonly Column[],
  rows: readonly Row[],
  { total, nextOffset }: { total: number; nextOffset: number | null },
  screen: Screen,
): string {
  const rest = nextOffset === null ? '' : `${total - nextOffset} more: --offset ${nextOffset}\n`;
  return table(columns, rows, screen) + rest;
}

/** The colour of a column that says whether something is well, and how where it is. */
export function wellOrNot(well: string): (text: string) => Colour {
  return (text) => (text === well ? 'green' : 'red');
}

/** Columns of text, then columns of numbers. */
export function columnsOf(texts: readonly string[], numbers: readonly string[] = []): Column[] {
  return [...texts.map((title) => ({ title })), ...numbers.map((title) => ({ title, number: true }))];
}

function limitOf(text: string): number {
  return wholeNumber(text, 1, 1000);
}

function offsetOf(text: string): number {
  return wholeNumber(text, 0, 10_000_000);
}

function wholeNumber(text: string, least: number, most: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
}
