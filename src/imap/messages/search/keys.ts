import { atom, type ImapArgument, literal, sequence } from '../../wire/tokens.js';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The groups joined by OR, which takes two keys; a single group needs no OR. */
export function anyOf(groups: readonly ImapArgument[]): ImapArgument[] {
  const [first, ...rest] = groups;
  if (first === undefined) return [];
  return rest.length === 0 ? [first] : [atom('OR'), first, ...anyOf(rest)];
}

/** Messages with a uid of the set. */
export const uidSet = (set: string): ImapArgument[] => [atom('UID'), sequence(set)];

/** A text as a string, or as a literal of UTF-8 where a quoted string cannot hold it. */
export function searchString(value: string): ImapArgument {
  return /^[ -~]*$/.test(value) ? value : literal(Buffer.from(value, 'utf8'));
}

/** A day such as `2024-03-01` as SEARCH takes it: `1-Mar-2024` (RFC 9051 section 9, date-text). */
export function searchDate(day: string): ImapArgument {
  const [year = '', month, date] = day.split('-');
  return atom(`${Number(date)}-${months[Number(month) - 1]}-${year}`);
}
