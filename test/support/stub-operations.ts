import type { Operations } from '../../src/methods/operators/operations.js';

/** For handlers that operate nothing. */
export const stubOperations: Operations = {
  drain: () => {},
  remaining: { draining: false, requests: 0, streams: 0, sockets: 0, connections: 0, remainingMs: null },
  reload: () => ({ changed: [], restart: [] }),
  setLogLevel: () => 'info',
  rotateKeys: () => ({ id: 'k', keys: 1 }),
  kickSocket: () => undefined,
};
