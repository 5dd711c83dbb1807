/** JSON in which the order of members does not matter, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
}

/** The params that decide about the answer: without session, deadline, slot, explain, age and idempotency key. */
export function askedFor({ session, timeoutMs, slot, explain, maxAgeMs, idempotencyKey, ...params }: Asked): object {
  return params;
}

interface Asked {
  session?: unknown;
  timeoutMs?: unknown;
  slot?: unknown;
  explain?: unknown;
  maxAgeMs?: unknown;
  idempotencyKey?: unknown;
}
