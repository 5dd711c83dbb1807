/** A Unix socket of a broker: the path of its file, and the query that the broker's proxy sees. */
export interface UnixAddress {
  path: string;
  /** With its question mark; empty where there is none. */
  query: string;
}

/** Takes a `unix:` URL apart; undefined for any other URL. The first question mark ends the path. */
export function unixAddress(url: string): UnixAddress | undefined {
  if (!url.startsWith('unix:')) return undefined;
  const [, path = '', query = ''] = /^unix:([^?]*)(.*)$/s.exec(url) ?? [];
  return { path, query };
}
