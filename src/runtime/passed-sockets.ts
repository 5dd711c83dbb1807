/** File descriptor of the first passed socket (sd_listen_fds(3)). */
const FIRST_FD = 3;

/**
 * The listening sockets that the service manager has passed (socket activation), as file descriptors by the name that
 * `FileDescriptorName=` gives them.
 * @param env `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` count
 */
export function passedSockets(env: Record<string, string | undefined> = process.env): Map<string, number> {
  // Sockets that were passed to a parent process are not for this one.
  if (env.LISTEN_PID !== String(process.pid)) return new Map();
  const names = env.LISTEN_FDNAMES?.split(':') ?? [];
  const count = Number(env.LISTEN_FDS ?? 0);
  return new Map(Array.from({ length: count }, (_, at) => [names[at] ?? 'unknown', FIRST_FD + at]));
}
