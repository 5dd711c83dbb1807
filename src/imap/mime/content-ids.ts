/** Where a URL can begin: in quotes, after `=` without quotes, and in the `url(...)` of a style sheet. */
const opening = /(&quot;|&#0?39;|["'(=\s])\s{0,8}$/i;
/** Characters before a URL that are examined. */
const OPENING = 16;
/** Longest URL in characters: longer than any header line that could contain a content id. */
const LONGEST = 1000;
/** Most references of one message that are examined. */
const MOST = 10_000;

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/**
 * The content ids that html refers to (RFC 2392), decoded: each as written, and also percent-decoded, because many
 * mailers do not encode ids and some write the encoded form into the Content-ID header as well. Even a URL without an
 * end is skipped before the search for the next one, so that the time is linear in the length of the html.
 */
export function contentIdsIn(html: string): Set<string> {
  const ids = new Set<string>();
  const scheme = /cid:/gi;
  let left = MOST;
  for (let found = scheme.exec(html); found; found = scheme.exec(html)) {
    const before = opening.exec(html.slice(Math.max(0, found.index - OPENING), found.index))?.[1];
    if (before === undefined) continue;
    if (left-- <= 0) break;
    const from = scheme.lastIndex;
    const text = html.slice(from, from + LONGEST);
    const end = text.search(endOf(before));
    const url = end < 0 ? text : text.slice(0, end);
    scheme.lastIndex = from + url.length;
    const id = withoutEntities(url).trim();
    ids.add(id);
    ids.add(withoutPercents(id));
  }
  return ids;
}

function endOf(before: string): RegExp {
  if (before === '"' || before === "'") return before === '"' ? /"/ : /'/;
  if (before.startsWith('&')) return /&quot;|&#0?39;|["']/;
  return /[\s"'>)]/;
}

function withoutEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function withoutPercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
