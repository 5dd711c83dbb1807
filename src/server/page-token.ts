/**
 * A web page cannot send Authorization with a WebSocket. The page of the monitor offers its token as one more
 * subprotocol, which is never agreed on and so never sent back.
 */
const PREFIX = 'imap-broker.token.';

/** The token among the subprotocols that are offered; `undefined` where there is none. */
export function pageToken(offered: readonly string[]): string | undefined {
  const found = offered.find((name) => name.startsWith(PREFIX));
  return found && Buffer.from(found.slice(PREFIX.length), 'base64url').toString();
}

/** Whether the page that opens the socket came from the host that the socket goes to. */
export function isSameOrigin(origin: string | undefined, host: string | undefined, tls: boolean): boolean {
  if (origin === undefined || host === undefined) return false;
  // Without TLS here, a proxy in front may have TLS.
  return origin === `https://${host}` || (!tls && origin === `http://${host}`);
}
