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

/** The time of day of an ISO date. */
export function clock(date) {
  return new Date(date).toLocaleTimeString('en', { hour12: false });
}

/** Whose: of everything, of a server, of an account. */
export function whose({ tenant, server, user }) {
  if (user !== undefined) return `${user} (${[tenant, server].filter(Boolean).join(', ')})`;
  return [server, tenant].filter(Boolean).join(', ') || 'everything';
}
