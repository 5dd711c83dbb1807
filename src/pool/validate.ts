import type { ImapConnection } from '../imap/connection.js';

const VALIDATE_MS = 3_000;

/**
 * Asks with a NOOP whether somebody is still at the other end; if not, or if nobody wants to know any more, closes the
 * connection.
 */
export async function answers(connection: ImapConnection, signal: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), VALIDATE_MS);
    signal.addEventListener('abort', () => resolve(false));
  });
  const answer = connection.noop().then(
    () => true,
    () => false,
  );
  const alive = await Promise.race([answer, late]);
  clearTimeout(timer);
  if (!alive) connection.close();
  return alive;
}
