import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

// Below the range that Linux gives to outgoing connections (32768 and up): a server that is killed and started again
// must find its port free, and not taken by an outgoing connection in the meantime.
const FIRST = 15_000;
const LAST = 32_000;

/** Free TCP ports on 127.0.0.1, different from each other. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Waits until a TCP port greets with a line, or the time is over. */
export async function untilGreets(port: number, timeoutMs: number, stillAlive: () => boolean): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end && stillAlive()) {
    if (await greets(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Nothing greeted on port ${port} within ${timeoutMs} ms.`);
}

/** Waits until a TCP port takes no connections. */
export async function untilRefuses(port: number, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    const socket = connect(port, '127.0.0.1');
    const taken = await once(socket, 'connect').then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ECONNREFUSED',
    );
    socket.destroy();
    if (!taken) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Something took connections on port ${port} for ${timeoutMs} ms.`);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('data', () => settle(true));
  });
}
