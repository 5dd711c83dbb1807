/** Most fields of an ID response (RFC 2971 section 3.3), and most characters of a name there. */
const MOST_FIELDS = 30;
const MOST_NAME = 30;
/** Most characters of a value that are kept; the RFC allows 1024, servers send some dozens. */
const MOST_VALUE = 200;
/** Most answers that are kept for other connections: a server may send another one each time. */
const MOST_KEPT = 100;

/** What a server calls itself: fields such as `name`, `version`, `vendor` and `support-url`. */
export type Software = Readonly<Record<string, string>>;

const kept = new Map<string, Software>();

/**
 * The fields of an ID response, of bounded number and length and without control characters; undefined where the server
 * tells nothing. The same object for equal answers, because each connection keeps it.
 */
export function softwareOf(fields: unknown): Software | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined;
  const told: [string, string][] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (told.length >= MOST_FIELDS) break;
    if (typeof value !== 'string' || field.length > MOST_NAME || !/^[a-z0-9][a-z0-9 ._/-]*$/.test(field)) continue;
    const text = plainText(value);
    if (text !== '') told.push([field, text]);
  }
  if (told.length === 0) return undefined;
  const key = JSON.stringify(told);
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const software = Object.fromEntries(told);
  kept.set(key, software);
  return software;
}

function plainText(value: string): string {
  return value
    .slice(0, MOST_VALUE)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
}
