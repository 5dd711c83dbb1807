/** Characters that are not seen, break lines or turn the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Letters of scripts that run from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Text from outside as it can be shown: what is not seen is spelled out, so that no name passes for another. */
export function visible(text) {
  return text.replace(UNSEEN, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
}

/** The same within a sentence, whose direction it must not turn. */
export function quoted(text) {
  const shown = visible(text);
  return RIGHT_TO_LEFT.test(shown) ? `\u2068${shown}\u2069` : shown;
}

/** 1,234 or 1.5. */
export function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  let rest = value;
  for (; rest >= 1024 && unit < units.length - 1; unit += 1) rest /= 1024;
  return `${number(rest)} ${units[unit]}`;
}

/** Milliseconds as people say them. */
export function span(ms) {
  if (ms < 1000) return `${number(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${number(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function counted(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** What a drain still waits for. */
export function leftOf({ requests, streams, connections, remainingMs }) {
  const parts = [counted(requests, 'request'), counted(streams, 'stream'), counted(connections, 'connection')];
  return `${parts.join(', ')} left, for at most ${span(remainingMs ?? 0)}`;
}

/** The time of day of an ISO date or of milliseconds since 1970. */
export function clock(date) {
  return new Date(date).toLocaleTimeString('en', { hourCycle: 'h23' });
}

/** The same, with the day where that is another one. */
export function moment(date) {
  const then = new Date(date);
  if (then.toDateString() === new Date().toDateString()) return clock(then);
  return then.toLocaleString('en', {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

/** Whose: of everything, of a server, of an account. */
export function whose({ tenant, server, user }) {
  if (user !== undefined) return `${quoted(user)} (${[tenant, server].filter(Boolean).join(', ')})`;
  return [server, tenant].filter(Boolean).join(', ') || 'everything';
}
