/** Combinations of flags that are kept once; people use a handful, and keywords of machines must not fill the memory. */
const MOST = 10_000;
const known = new Map<string, string>();

/** Flags as JSON, the same string for the same flags: thousands of messages share a few. */
export function flagString(flags: readonly string[]): string {
  const json = JSON.stringify(flags);
  const kept = known.get(json);
  if (kept !== undefined) return kept;
  if (known.size >= MOST) known.clear();
  known.set(json, json);
  return json;
}
