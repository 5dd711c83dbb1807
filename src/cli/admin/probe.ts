import { readFileSync } from 'node:fs';
import type { AdminWork } from '../admin.js';
import { CliError, exitCodes } from '../output.js';
import { type Column, table } from '../table.js';
import { wellOrNot } from './lists.js';

const COLUMNS: readonly Column[] = [
  { title: 'STEP' },
  { title: 'OK', colour: wellOrNot('yes') },
  { title: 'MS', number: true },
  { title: 'DETAIL', wraps: true },
];

/** `imap-broker probe`: why does an IMAP server not work? Exit code 1 when a step fails. */
export const probe: AdminWork = async ({ client, print, args, options }) => {
  const [server = ''] = args;
  const { user, passwordFile } = options as { user?: string; passwordFile?: string };
  if ((user === undefined) !== (passwordFile === undefined)) {
    throw new CliError('--user and --password-file go together.', exitCodes.usage);
  }
  const login = user === undefined ? {} : { user, password: passwordIn(passwordFile ?? '') };
  const probed = await client.server.probe({ server, ...login });
  print(probed, ({ steps }, screen) =>
    table(
      COLUMNS,
      steps.map(({ step, ok, ms, detail }) => [step, ok ? 'yes' : 'NO', ms, printable(detail)]),
      screen,
    ),
  );
  return probed.steps.every(({ ok }) => ok) ? undefined : exitCodes.failure;
};

/** What a server says may hold anything, but nothing that moves the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new CliError(`--password-file: cannot read ${file}: ${(error as Error).message}`, exitCodes.usage);
  }
}
