/** When a message was sent, as short as it may be, for a list. */
export function shortDate(date: string, timeZone: string | undefined, now = new Date()): string {
  const day = (of: Date) => of.toLocaleDateString('en-GB', { timeZone });
  const sent = new Date(date);
  if (day(sent) === day(now)) return sent.toLocaleTimeString('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
  const year = sent.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return sent.toLocaleDateString('en-GB', { timeZone, day: 'numeric', month: 'short', ...year });
}

export function dated(date: string, timeZone: string | undefined): string {
  return new Date(date).toLocaleString('en-GB', { timeZone, dateStyle: 'medium', timeStyle: 'short' });
}

/** The time zone that the browser has told, where there is one of this name. */
export function knownZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Bytes for people. */
export function sized(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** One or two letters that stand for a sender. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? ['?'];
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase();
}

/** One of eight colours for a sender, always the same one. */
export function hue(address: string): number {
  return [...address].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % 8;
}
