import { expect, it } from 'vitest';
import { passedSockets } from '../../src/runtime/passed-sockets.js';

const ours = String(process.pid);

it('sockets that were passed have the names that their units give them', () => {
  const env = { LISTEN_PID: ours, LISTEN_FDS: '2', LISTEN_FDNAMES: 'clients:more' };
  expect([...passedSockets(env)]).toEqual([
    ['clients', 3],
    ['more', 4],
  ]);
});

it('sockets that were passed to another process are not ours', () => {
  expect(passedSockets({ LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'clients' }).size).toBe(0);
  expect(passedSockets({}).size).toBe(0);
});
