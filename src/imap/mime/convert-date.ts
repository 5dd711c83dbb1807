const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const monthOf = new Map(months.map((name, at) => [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, at]));
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const weekdays = new Set(['Mon, ', 'Tue, ', 'Wed, ', 'Thu, ', 'Fri, ', 'Sat, ', 'Sun, ']);
const comment = /^ \([^()]*\)$/;
const [SPACE, PLUS, HYPHEN, COLON] = [0x20, 0x2b, 0x2d, 0x3a];

/** Most characters of a date that are read; real dates are shorter, even with comments. */
const MOST_CHARACTERS = 1000;

/** Zones of RFC 5322 section 4.3, in hours; any other name counts as UTC. */
const zones: Record<string, number> = { EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 };

/** Comments and blanks around colons are removed before; a zone is a sign and digits, a name, or a name with both. */
const mailDate =
  /^(?:[a-z]{2,9}\.?,?\s*)?(\d{1,2})[\s-]+([a-z]{3})[a-z]{0,6}\.?,?[\s-]+(\d{2,4})[,\s]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*((?:GMT|UTC?)?[+-]\d{1,2}:?\d{2}|[a-z]{1,5})?(?![\d:])/i;
const asctimeDate =
  /^[a-z]{3},?\s+([a-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})\s+(?:((?:GMT|UTC?)?[+-]\d{1,2}:?\d{2}|[a-z]{1,5})\s+)?(\d{4})/i;
/** Dates as JavaScript's `Date.prototype.toString` writes them. */
const scriptDate =
  /^[a-z]{3},? ([a-z]{3}) (\d{1,2}) (\d{4}) (\d{1,2}):(\d{2}):(\d{2})(?: ((?:GMT|UTC?)?[+-]\d{1,2}:?\d{2}|[a-z]{1,5}))?$/i;
const isoDate = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * A Date header or INTERNALDATE as RFC 3339 in UTC; null for a text that is no date. JavaScript's own parser accepts
 * almost any words with a number as a date, and assumes the local time zone where none is given.
 */
export function toIso(text: string): string | null {
  const time = fromUsual(text) ?? fromAny(text);
  if (time === undefined || Number.isNaN(time)) return null;
  const date = new Date(time);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString() : null;
}

function fromAny(text: string): number | undefined {
  // Blanks may stand anywhere between the parts of a date (RFC 5322 appendix A.6.3).
  const plain = withoutComments(text.slice(0, MOST_CHARACTERS))
    .replace(/\s+/g, ' ')
    .replace(/ ?([:,]) ?/g, '$1')
    .trim();
  return fromMail(plain) ?? fromAsctime(plain) ?? fromScript(plain) ?? fromIso(plain);
}

/** Removes comments, which may be nested and have quoted parentheses (RFC 5322 section 3.2.2). */
function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let plain = '';
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (depth > 0 && character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth === 0) plain += character;
    if (character === ')' && depth === 0) plain += ' ';
  }
  return plain;
}

/** Fast path for the usual form: `[Mon, ]6 May 2024 07:08:09 +0000[ (UTC)]`, and INTERNALDATE with hyphens. */
function fromUsual(text: string): number | undefined {
  let at = weekdays.has(text.slice(0, 5)) ? 5 : text.charCodeAt(0) === SPACE ? 1 : 0;
  const two = digits(text, at, 2);
  const day = two < 0 ? digits(text, at, 1) : two;
  at += two < 0 ? 1 : 2;
  const separator = text.charCodeAt(at);
  const sign = text.charCodeAt(at + 19);
  const shaped =
    (separator === SPACE || separator === HYPHEN) &&
    text.charCodeAt(at + 4) === separator &&
    text.charCodeAt(at + 9) === SPACE &&
    text.charCodeAt(at + 12) === COLON &&
    text.charCodeAt(at + 15) === COLON &&
    text.charCodeAt(at + 18) === SPACE &&
    (sign === PLUS || sign === HYPHEN) &&
    (text.length === at + 24 || comment.test(text.slice(at + 24)));
  if (!shaped) return undefined;
  const month = monthOf.get(text.slice(at + 1, at + 4)) ?? -1;
  const [year, hour, minute] = [digits(text, at + 5, 4), digits(text, at + 10, 2), digits(text, at + 13, 2)];
  const [second, zoneHour, zoneMinute] = [digits(text, at + 16, 2), digits(text, at + 20, 2), digits(text, at + 22, 2)];
  // The 29th of February and extreme years are left to the slow path.
  const inYear = day >= 1 && day <= (monthDays[month] ?? 0) && year >= 1000 && year < 9999;
  const inDay = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
  if (!inYear || !inDay || zoneHour < 0 || zoneMinute < 0) return undefined;
  const offset = (zoneHour * 60 + zoneMinute) * (sign === HYPHEN ? -60_000 : 60_000);
  return Date.UTC(year, month, day, hour, minute, second) - offset;
}

/** The number that `count` digits form; -1 if other characters are among them. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at += 1) {
    const code = text.charCodeAt(at);
    if (!(code >= 0x30 && code <= 0x39)) return -1;
    value = value * 10 + code - 0x30;
  }
  return value;
}

function fromMail(text: string): number | undefined {
  const [whole, day, month, year, hour, minute, second, zone] = mailDate.exec(text) ?? [];
  return whole === undefined ? undefined : utc(fullYear(year ?? ''), month, day, [hour, minute, second], zone);
}

function fromAsctime(text: string): number | undefined {
  const [whole, month, day, hour, minute, second, zone, year] = asctimeDate.exec(text) ?? [];
  return whole === undefined ? undefined : utc(Number(year), month, day, [hour, minute, second], zone);
}

function fromScript(text: string): number | undefined {
  const [whole, month, day, year, hour, minute, second, zone] = scriptDate.exec(text) ?? [];
  return whole === undefined ? undefined : utc(Number(year), month, day, [hour, minute, second], zone);
}

function fromIso(text: string): number | undefined {
  const [whole, day, time, zone = 'Z'] = isoDate.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return Date.parse(`${day}T${time}${zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
}

function utc(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  clock: (string | undefined)[],
  zone: string | undefined,
): number {
  const month = months.indexOf((monthName ?? '').toLowerCase());
  const [hour = 0, minute = 0, second = 0] = clock.map((part) => Number(part ?? 0));
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return Number.NaN;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month, Number(day));
  // Rejects dates such as the 31st of February.
  if (midnight.getUTCDate() !== Number(day)) return Number.NaN;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 - offsetMs(zone ?? '');
}

/** The full year for two and three digits, by RFC 5322 section 4.3. */
function fullYear(year: string): number {
  const value = Number(year);
  if (year.length === 4) return value;
  return value + (year.length === 2 && value < 50 ? 2000 : 1900);
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes] = /([+-])(\d{1,2}):?(\d{2})$/.exec(zone) ?? [];
  if (sign) return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  return (zones[zone.toUpperCase()] ?? 0) * 3_600_000;
}
