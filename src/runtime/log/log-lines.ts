import { fstatSync } from 'node:fs';

/** Priorities of syslog by the level of a line: see sd-daemon(3). */
const PRIORITIES = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 } as const;
type Level = keyof typeof PRIORITIES;
const COLOURS: Partial<Record<Level, number>> = { warn: 33, error: 31, fatal: 31 };
/** How each line begins. */
const BEGIN = '{"level":"';

/**
 * Whether a file descriptor goes to systemd's journal. `JOURNAL_STREAM` names the journal's own end: a process whose
 * output was redirected inherits the variable all the same.
 */
export function isJournal(fd: number, env: Record<string, string | undefined> = process.env): boolean {
  if (!env.JOURNAL_STREAM) return false;
  const { dev, ino } = fstatSync(fd);
  return env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** A line with its priority in front, which the journal takes off: the message stays JSON, and `journalctl -p` works. */
export function journalLine(line: string): string {
  const level = line.slice(BEGIN.length, line.indexOf('"', BEGIN.length)) as Level;
  return `<${PRIORITIES[level]}>${line}`;
}

/** What a terminal must not get: letters that move its cursor or change what stands beside them. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A line as people read it: time of day, level, message, members; errors with their stack and causes below. */
export function humanLine(line: string, colour: boolean): string {
  const { level, time, msg = '', err, ...members } = JSON.parse(line) as Record<string, unknown> & { level: Level };
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const name = level.toUpperCase().padEnd(5);
  const shown = colour && COLOURS[level] ? `\x1b[${COLOURS[level]}m${name}\x1b[0m` : name;
  const parts = Object.entries(members).map(([key, value]) => `${key}=${valueText(value)}`);
  return `${[clock, shown, plain(String(msg)), ...parts].join(' ')}\n${errorLines(err).join('')}`;
}

/** Text without blanks as it is, all else as JSON. */
function valueText(value: unknown): string {
  const isWord = typeof value === 'string' && /^[^\s"]+$/.test(value);
  return plain(isWord ? value : JSON.stringify(value));
}

function errorLines(err: unknown): string[] {
  if (typeof err !== 'object' || err === null) return [];
  const { type, message, stack, cause } = err as Record<string, unknown>;
  const lines = String(stack ?? `${type}: ${message}`).split('\n');
  return [...lines.map((line) => `    ${plain(line)}\n`), ...errorLines(cause)];
}

function plain(text: string): string {
  return text.replace(UNSEEN, '?');
}
