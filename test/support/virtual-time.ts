import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { onTestFinished, vi } from 'vitest';

const STEP_MS = 100;
/** Turns of the event loop that a step leaves to sockets: an answer from the same process is there after a few. */
const TURNS = 8;
/** Round trips through the kernel in a step: on a busy machine bytes need longer than those turns. */
const ROUND_TRIPS = 2;

export interface VirtualTime {
  /** Lets so many milliseconds pass, in a small part of them; `each` is called at every step. */
  pass(ms: number, each?: (passedMs: number) => void): Promise<void>;
  /** Lets time pass until it is settled. @returns the milliseconds that took */
  until(what: Promise<unknown>): Promise<number>;
}

/**
 * Until the end of the test timers and clocks go as fast as the test wants, while sockets go on as ever. Servers must run
 * in the same process: how busy the machine is makes no difference then.
 */
export function virtualTime(): VirtualTime {
  const begun = performance.now();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  const epoch = Date.now();
  // It goes on from where it was: what was noted before must not lie ahead.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => begun + Date.now() - epoch);
  onTestFinished(() => {
    clock.mockRestore();
    vi.useRealTimers();
  });
  let echo: Promise<() => Promise<void>> | undefined;
  const step = async () => {
    await vi.advanceTimersByTimeAsync(STEP_MS);
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    echo ??= startEcho();
    const roundTrip = await echo;
    for (let trip = 0; trip < ROUND_TRIPS; trip += 1) await roundTrip();
  };
  return {
    pass: async (ms, each) => {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        each?.(passed);
        await step();
      }
    },
    until: async (what) => {
      const begun = performance.now();
      let settled = false;
      const settle = () => {
        settled = true;
      };
      what.then(settle, settle);
      while (!settled) await step();
      return performance.now() - begun;
    },
  };
}

/** @returns sends a byte through the kernel and back: what other sockets of this process sent before is there by then */
async function startEcho(): Promise<() => Promise<void>> {
  const server = createServer({ noDelay: true }, (peer) => peer.pipe(peer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return async () => {
    socket.write('.');
    await once(socket, 'data');
  };
}
