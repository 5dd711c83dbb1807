import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';
import { LogOutput } from './log-output.js';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const secrets = ['password', 'accessToken', 'session', 'token', 'auth', 'authorization'];
const MOST_CAUSES = 5;

/**
 * JSON lines to stdout, where systemd's journal picks them up; on a terminal in plain words, where pino-pretty is
 * installed. Parameters of requests are never logged.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const options = {
    level,
    base: null,
    redact: secrets.flatMap((name) => [name, `*.${name}`]),
    serializers: { err: describeError },
  };
  return pino(options, destination);
}

interface ErrorEntry {
  type: string;
  message: string;
  code?: unknown;
  stack?: string | undefined;
  cause?: ErrorEntry;
}

/** Message, stack and causes alone: other members that libraries attach to their errors may hold a user's mail. */
function describeError(error: unknown, depth = 0): ErrorEntry {
  if (!(error instanceof Error)) return { type: typeof error, message: 'no Error was thrown' };
  const { name, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined || depth >= MOST_CAUSES ? {} : { cause: describeError(cause, depth + 1) }),
  };
}

function standardOutput(): DestinationStream {
  // The first access to `process.stdout` makes its pipe or socket non-blocking.
  return (process.stdout.isTTY ? prettyTerminal() : undefined) ?? new LogOutput(process.stdout.fd);
}

function prettyTerminal(): DestinationStream | undefined {
  try {
    const pretty = createRequire(import.meta.url)('pino-pretty') as (options: { sync: boolean }) => DestinationStream;
    return pretty({ sync: true });
  } catch {
    return undefined;
  }
}
