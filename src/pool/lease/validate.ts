import type { ImapConnection } from '../../imap/connection/connection.js';

export interface Asking {
  /** Aborts the check. */
  signal: AbortSignal;
  /** Milliseconds that the server has to answer. */
  withinMs: number;
  /** Called when the server has not answered for so many milliseconds. */
  slow: { afterMs: number; tell: () => void };
}

/**
 * Checks with a NOOP that the server still answers; when it does not, or when the check is aborted, the connection is
 * closed.
 */
export async function answers(connection: ImapConnection, { signal, withinMs, slow }: Asking): Promise<boolean> {
  if (signal.aborted) {
    connection.close();
    return false;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      connection.silent = true;
      resolve(false);
    }, withinMs);
    signal.addEventListener('abort', () => resolve(false));
  });
  const slowly = setTimeout(slow.tell, slow.afterMs);
  const answer = connection.noop().then(
    () => true,
    () => false,
  );
  const alive = await Promise.race([answer, late]);
  clearTimeout(timer);
  clearTimeout(slowly);
  if (!alive) connection.close();
  return alive;
}
