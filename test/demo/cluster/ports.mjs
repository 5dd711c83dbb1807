// @ts-check
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

// Below the range that Linux gives to outgoing connections: a broker that is killed must find its port free again.
const FIRST = 15_000;
const LAST = 32_000;
const PAUSE_MS = 50;

/**
 * Free TCP ports at 127.0.0.1, different from each other.
 * @param {number} count
 */
export async function freePorts(count) {
  /** @type {Set<number>} */
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(FIRST, LAST);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    ports.add(port);
  }
  return [...ports];
}

/**
 * Resolves when a port takes connections; rejects when what should listen there has ended before.
 * @param {number} port @param {() => string | undefined} ended why it never will
 */
export async function listening(port, ended) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    const why = ended();
    if (why !== undefined) throw new Error(why);
    await sleep(PAUSE_MS);
  }
}
