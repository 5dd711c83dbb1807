/**
 * Shards: where several brokers stand behind a proxy, `?shard=N` in the URL of a socket lets the proxy bring all requests
 * of a user to the same broker. Any broker serves any user: a shard saves connections, and is never needed.
 */

/** Most shards of a client: each shard in use is a socket. */
export const MOST_SHARDS = 1024;

/** Hexadecimal digits of the hash that a shard is made of. */
const DIGITS = 8;
const shardDigits = /^[0-9a-f]{8}$/;

/** The text that is hashed (SHA-256 of its UTF-8) for a user of a server: JSON, in which only `"` and `\` are escaped. */
export function shardText(server: string, user: string): string {
  return JSON.stringify([server, user]);
}

/** The digits of a hash in hexadecimal that the shard is made of. */
export function digitsOfHash(hash: string): string {
  return hash.slice(0, DIGITS);
}

/** The digits in a session token; undefined where it has none. */
export function digitsOfToken(token: string): string | undefined {
  const [header = ''] = token.split('.', 1);
  try {
    const { shard } = JSON.parse(atob(header.replaceAll('-', '+').replaceAll('_', '/'))) as { shard?: unknown };
    return typeof shard === 'string' && shardDigits.test(shard) ? shard : undefined;
  } catch {
    return undefined;
  }
}

/** The shard of a user, from the digits and the number of shards. */
export function shardOf(digits: string, shards: number): number {
  return Number.parseInt(digits, 16) % shards;
}
