import { describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { defaultSocketLimits } from '../../src/server/limits.js';
import { Outbox } from '../../src/server/outbox.js';

/** Pings of six bytes, the shortest that a client sends, which fit into one read of 64 KiB. */
const OF_ONE_READ = Math.ceil(65_536 / 6);

/** An outbox whose WebSocket notes when its pongs leave, and how it ends. */
function ponging() {
  const waiting: Array<() => void> = [];
  const ws = {
    ...{ readyState: 1, OPEN: 1, bufferedAmount: 0 },
    pong: (_data: Buffer, _mask: boolean, onSent: () => void) => waiting.push(onSent),
    close: vi.fn(),
    terminate: vi.fn(),
  };
  const outbox = new Outbox(ws as unknown as WebSocket, { now: defaultSocketLimits }, () => {});
  const answerOneRead = () => {
    for (let ping = 0; ping < OF_ONE_READ; ping += 1) outbox.pong(Buffer.alloc(0));
  };
  const leave = () => {
    for (const onSent of waiting.splice(0)) onSent();
  };
  return { ws, waiting, answerOneRead, leave };
}

describe('pongs', () => {
  it('that the peer does not read end its socket with 1013, though they have next to no bytes', () => {
    const { ws, waiting, answerOneRead } = ponging();
    answerOneRead();
    expect(ws.close).not.toHaveBeenCalled();
    answerOneRead();
    expect(ws.close).toHaveBeenCalledWith(1013, expect.any(String));
    expect(ws.terminate).toHaveBeenCalled();
    expect(waiting.length).toBeLessThan(2 * OF_ONE_READ);
  });

  it('that leave may be as many as there are pings', () => {
    const { ws, answerOneRead, leave } = ponging();
    for (let read = 0; read < 20; read += 1) {
      answerOneRead();
      leave();
    }
    expect(ws.close).not.toHaveBeenCalled();
  });
});
