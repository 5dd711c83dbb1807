import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { type Client, RpcError } from '../../client/index.js';
import type { AdminWork } from '../admin.js';
import { counted } from '../units.js';

const EVERY_MS = 500;
/** Milliseconds that a look at what is left may take: the broker may have ended meanwhile. */
const LOOK_MS = 2_000;

type Remaining = Awaited<ReturnType<Client['broker']['remaining']>>;

/** `imap-broker drain`: begins to stop the broker; with `--wait` shows what is left until it has stopped. */
export const drain: AdminWork = async ({ client, print, progress, options }) => {
  const { grace, wait } = options as { grace?: number; wait?: boolean };
  const begun = await client.broker.drain(grace === undefined ? {} : { graceMs: grace * 1000 });
  if (!wait) {
    print(begun, (remaining) => `${remainingText(remaining)}\n`);
    return undefined;
  }
  for (let remaining: Remaining | undefined = begun; remaining; remaining = await remainingOf(client)) {
    progress(remaining, remainingText);
    await sleep(EVERY_MS);
  }
  progress({ stopped: true }, () => 'stopped');
  return undefined;
};

/** What is left; `undefined` when that broker has stopped, whether or not another one is in its place. */
async function remainingOf(client: Client): Promise<Remaining | undefined> {
  try {
    const remaining = await client.broker.remaining({ timeoutMs: LOOK_MS });
    return remaining.draining ? remaining : undefined;
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

function remainingText({ requests, streams, sockets, connections, remainingMs }: Remaining): string {
  const parts = [
    counted(requests, 'request'),
    counted(streams, 'stream'),
    counted(sockets, 'socket'),
    counted(connections, 'connection'),
  ];
  return `left: ${parts.join(', ')}; at most ${Math.ceil((remainingMs ?? 0) / 1000)} s`;
}

/** The argument of `--grace`. */
export function graceOf(text: string): number {
  const seconds = Number(text);
  if (text !== '' && seconds >= 0 && seconds <= 600) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds from 0 to 600.');
}
