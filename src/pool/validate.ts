import type { ImapConnection } from '../imap/connection/connection.js';

export interface Asking {
  /** Ends the question: the job that asked has ended. */
  signal: AbortSignal;
  /** Milliseconds that the server has to answer. */
  withinMs: number;
  /** Called when the server has not answered for so many milliseconds. */
  slow: { afterMs: number; tell: () => void };
}

/** Asks with a NOOP whether the server is still at the other end; if not, or if the job that asked has ended, closes the connection. */
export async function answers(connection: ImapConnection, { signal, withinMs, slow }: Asking): Promise<boolean> {
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
