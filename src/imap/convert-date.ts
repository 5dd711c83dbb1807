const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Zones of RFC 5322 section 4.3, in hours; what is not among them says nothing and counts as UTC. */
const zones: Record<string, number> = { EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 };

const mailDate =
  /^(?:[a-z]{2,9}\.?,?\s*)?(\d{1,2})[\s-]+([a-z]{3})[a-z]{0,6}\.?,?[\s-]+(\d{4}|\d{2})[,\s]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([+-]\d{4}|[a-z]{1,5})?(?![\d:])/i;
const asctimeDate =
  /^[a-z]{3},?\s+([a-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})\s+(?:([+-]\d{4}|[a-z]{1,5})\s+)?(\d{4})/i;
const isoDate = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * A Date header or INTERNALDATE as RFC 3339 in UTC; null for what is no date. JavaScript's own parser takes
 * almost any words with a number in them for a date, and reads those without a zone in the zone of this machine.
 */
export function toIso(text: string): string | null {
  // Comments, as in `(CEST)` (RFC 5322 section 3.2.2).
  const plain = text.replace(/\([^()]*\)/g, ' ').trim();
  const time = fromMail(plain) ?? fromAsctime(plain) ?? fromIso(plain);
  if (time === undefined || Number.isNaN(time)) return null;
  const date = new Date(time);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString() : null;
}

function fromMail(text: string): number | undefined {
  const [whole, day, month, year, hour, minute, second, zone] = mailDate.exec(text) ?? [];
  return whole === undefined ? undefined : utc(fullYear(year ?? ''), month, day, [hour, minute, second], zone);
}

function fromAsctime(text: string): number | undefined {
  const [whole, month, day, hour, minute, second, zone, year] = asctimeDate.exec(text) ?? [];
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
  // The 31st of February.
  if (midnight.getUTCDate() !== Number(day)) return Number.NaN;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 - offsetMs(zone ?? '');
}

/** RFC 5322 section 4.3. */
function fullYear(year: string): number {
  if (year.length !== 2) return Number(year);
  return Number(year) + (Number(year) < 50 ? 2000 : 1900);
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? [];
  if (sign) return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  return (zones[zone.toUpperCase()] ?? 0) * 3_600_000;
}
