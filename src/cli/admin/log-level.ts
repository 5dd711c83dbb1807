import { InvalidArgumentError } from 'commander';
import type { Client } from '../../client/index.js';
import type { AdminWork } from '../admin.js';

type Level = Parameters<Client['log']['level']>[0]['level'];

/** `imap-broker log-level`: sets what is logged, for a while or until the next reload. */
export const logLevel: AdminWork = async ({ client, print, args, options }) => {
  const [level] = args as [Level];
  const { for: seconds } = options as { for?: number };
  print(
    await client.log.level(seconds === undefined ? { level } : { level, forMs: Math.round(seconds * 1000) }),
    ({ before }) =>
      `log level: ${level}, ${seconds === undefined ? 'until a reload' : `for ${seconds} s`}; was ${before}\n`,
  );
  return undefined;
};

/** The argument of `--for`. */
export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.001 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds up to 86400.');
}
