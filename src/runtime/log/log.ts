import { type DestinationStream, type Logger, pino } from 'pino';
import { humanLine, isJournal, journalLine } from './log-lines.js';
import { LogOutput } from './log-output.js';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const secrets = ['password', 'accessToken', 'session', 'token', 'auth', 'authorization'];
const MOST_CAUSES = 5;

/**
 * JSON lines to stdout; for systemd's journal with their priority, on a terminal in plain words. Parameters of requests
 * are never logged.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const options = {
    level,
    base: null,
    redact: secrets.flatMap((name) => [name, `*.${name}`]),
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
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
  const { fd, isTTY } = process.stdout;
  const colour = !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  if (isTTY) return new LogOutput(fd, (line) => humanLine(line, colour));
  return new LogOutput(fd, isJournal(fd) ? journalLine : undefined);
}
