import { z } from 'zod';

/** Far below where numbers are no longer exact, so that a spoilt line cannot bring the count to an end. */
const MOST_GENERATION = 2 ** 52;
const generation = z.number().min(0).max(MOST_GENERATION);

/**
 * Sessions that are void: one by its id, or those of a user or tenant that were opened before the entry was made. What
 * was before is decided by a generation, which grows with each revocation, for clocks may be set back and ahead. Only
 * sessions that count in another line, which brokers with the same keys and another file have opened, are compared by
 * their clocks.
 */
const entry = z.strictObject({
  id: z.string().min(1).optional(),
  tenant: z.string().optional(),
  user: z.string().optional(),
  /** Missing in files of version 0.1.0, whose sessions have no generation either, and in entries by the clock. */
  generation: generation.optional(),
  /** Made where generations count in another line: what was before is decided by the clocks of both. */
  foreign: z.boolean().optional(),
  at: z.number(),
  /** When every session that the entry concerns has ended anyway. */
  until: z.number(),
});
export type Entry = z.infer<typeof entry>;

/** What a file begins with. A broker that starts adds another, with the generation from which it counts. */
const header = z.strictObject({
  line: z.string().min(1),
  generation,
  /** Entries were forgotten, because the sessions that they concern, which end until then, had ended. */
  forgotten: entry.optional(),
});
export type Header = z.infer<typeof header>;

/** What a line of the file says; nothing where it is half, spoilt or of another version. */
export function parseLine(line: string): { header?: Header; entry?: Entry } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return {};
  }
  const found = entry.safeParse(value).data;
  if (found) return { entry: found };
  const known = header.safeParse(value).data;
  return known ? { header: known } : {};
}

/** Entries of the same key concern the same sessions. */
export function revocationKey({ id, tenant, user, foreign }: Partial<Entry>): string {
  if (id !== undefined) return id;
  return JSON.stringify(foreign ? [tenant, user ?? null, 'foreign'] : [tenant, user ?? null]);
}

/** Whether a key is that of a user or a tenant: ids of sessions have no bracket. */
export function isWide(key: string): boolean {
  return key.startsWith('[');
}

/** Whether one entry ends all that another of the same key ends, for as long. */
export function covers(one: Entry, other: Entry): boolean {
  if (one.id !== undefined) return true;
  return (one.generation ?? -1) >= (other.generation ?? -1) && one.at >= other.at && one.until >= other.until;
}

/** An entry that ends what either of two of the same key ends. */
export function merged(one: Entry | undefined, other: Entry): Entry {
  if (!one || covers(other, one)) return other;
  if (covers(one, other)) return one;
  const both: Entry = { ...other, at: Math.max(one.at, other.at), until: Math.max(one.until, other.until) };
  const counted = Math.max(one.generation ?? -1, other.generation ?? -1);
  if (counted >= 0) both.generation = counted;
  return both;
}

/** An entry of which only the clock tells what was before. */
export function byClock({ generation: _, ...rest }: Entry): Entry {
  return { ...rest, foreign: true };
}
