import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Free TCP ports on 127.0.0.1, different from each other. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
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

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', () => settle(true));
  });
}
