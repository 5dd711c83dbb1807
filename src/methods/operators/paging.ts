/** Which part of a list is asked for. */
export interface Paging {
  limit: number;
  offset: number;
}

/** A part of a list. Costly details are collected for the members of this part alone. */
export interface Page<T> {
  members: T[];
  total: number;
  nextOffset: number | null;
}

/** The part of a list that is asked for, of those members that match. */
export function pageOf<T>(all: Iterable<T>, { limit, offset }: Paging, matches: (one: T) => boolean): Page<T> {
  const members: T[] = [];
  let total = 0;
  for (const one of all) {
    if (!matches(one)) continue;
    if (total >= offset && members.length < limit) members.push(one);
    total += 1;
  }
  return { members, total, nextOffset: offset + limit < total ? offset + limit : null };
}

/** A list with the greatest first; of equals, the first of them first. */
export function greatestFirst<T>(all: Iterable<T>, numberOf: (one: T) => number): T[] {
  const byNumber = new Map<number, T[]>();
  for (const one of all) {
    const number = numberOf(one);
    const equal = byNumber.get(number);
    if (equal) equal.push(one);
    else byNumber.set(number, [one]);
  }
  return [...byNumber.keys()].sort((a, b) => b - a).flatMap((number) => byNumber.get(number) ?? []);
}
