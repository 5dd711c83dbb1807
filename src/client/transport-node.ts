import { WebSocket } from 'ws';
import { subprotocol } from '../protocol/limits.js';
import type { Connect } from './transport.js';

const HANDSHAKE_MS = 10_000;

/** WebSockets of Node, to `ws:`, `wss:` and Unix socket addresses (`unix:/path`). */
export const connectNode: Connect = ({ url, token }, events) => {
  const address = url.startsWith('unix:') ? `ws+unix:${url.slice('unix:'.length)}` : url;
  const ws = new WebSocket(address, subprotocol, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
  });
  let refused: number | undefined;
  let complaint: string | undefined;
  ws.on('open', () => events.onOpen());
  ws.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) events.onBinary(data);
    else events.onText(data.toString('utf8'));
  });
  ws.on('ping', () => events.onPing());
  ws.on('unexpected-response', (request, response) => {
    refused = response.statusCode;
    response.resume();
    request.destroy();
    ws.terminate();
  });
  // Every error is followed by a close.
  ws.on('error', ({ message }) => {
    complaint ??= message;
  });
  ws.on('close', (code) => events.onClose({ code, refused, complaint }));
  return {
    send: (frame) => ws.send(frame, () => {}),
    get bufferedBytes() {
      return ws.bufferedAmount;
    },
    close: () => ws.close(1000),
    terminate: () => ws.terminate(),
  };
};
