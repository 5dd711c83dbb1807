// @ts-check
import { connect, createServer } from 'node:net';

/**
 * Puts a local port at a distance: what goes through arrives later, each way by half a round trip.
 * @param {number} port @param {number} roundTripMs
 * @returns {Promise<{ port: number, close: () => void }>}
 */
export async function atDistance(port, roundTripMs) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      if (!from || !to) continue;
      sockets.add(from);
      const later = (/** @type {() => void} */ then) => setTimeout(then, roundTripMs / 2);
      from.on('data', (chunk) => later(() => to.write(chunk)));
      from.on('end', () => later(() => to.end()));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        later(() => to.destroy());
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
