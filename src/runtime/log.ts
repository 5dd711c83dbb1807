import { type Logger, pino } from 'pino';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** JSON lines to stdout, where systemd's journal picks them up. Parameters of requests are never logged. */
export function createLog(level: LogLevel): Log {
  return pino({ level, base: null, redact: ['*.password', '*.accessToken', '*.session', '*.token', '*.auth'] });
}
