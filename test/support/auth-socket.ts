import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

/** Answers a request for a login; undefined while it is not whole. */
export type Answer = (request: Buffer) => Promise<Buffer> | Buffer | undefined;

/** A daemon for a mail server that asks another program whether a password is right, over a Unix socket: one request each. */
export async function startAuthSocket(path: string, answer: Answer): Promise<Server> {
  const server = createServer((socket) => take(socket, answer)).listen(path);
  await once(server, 'listening');
  await chmod(path, 0o777);
  server.unref();
  return server;
}

function take(socket: Socket, answer: Answer): void {
  let request = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', async (chunk: Buffer) => {
    request = Buffer.concat([request, chunk]);
    try {
      const answered = answer(request);
      if (answered) socket.end(await answered);
    } catch (failure) {
      socket.destroy(failure as Error);
    }
  });
}
