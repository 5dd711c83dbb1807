/** A connection that is watched for silence. */
interface Attended {
  readonly patienceMs: number;
  readonly bytes: { received: number };
  /** Set when the connection is given up for its silence. */
  silent: boolean;
  close(): void;
}

/**
 * From now on closes the connection when the server is silent for longer than the connection's `patienceMs`.
 * @returns a function that stops the supervision
 */
export function giveUpIfSilent(connection: Attended): () => void {
  const { patienceMs } = connection;
  if (patienceMs === Number.POSITIVE_INFINITY) return () => {};
  let heard = connection.bytes.received;
  const timer = setInterval(() => {
    const { received } = connection.bytes;
    if (received === heard) {
      connection.silent = true;
      connection.close();
    }
    heard = received;
  }, patienceMs);
  return () => clearInterval(timer);
}
