import { connect } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { subprotocol } from '../protocol/limits.js';
import type { Connect } from './transport.js';
import { unixAddress } from './unix-address.js';

/** Milliseconds until the WebSocket is open; `handshakeTimeout` of ws would begin anew with each byte of the answer. */
const HANDSHAKE_MS = 10_000;
/** Milliseconds that a peer has to answer a close; a program that ends waits for the answer. */
const CLOSE_MS = 1_000;
/** Largest frame that is taken. Answers of the broker have a few MiB at most. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024;

/** WebSockets of Node, to `ws:`, `wss:` and Unix socket addresses (`unix:/path`). */
export const connectNode: Connect = ({ url, token }, events) => {
  const unix = unixAddress(url);
  // The types of ws do not have `closeTimeout` yet.
  const options: ClientOptions & { closeTimeout: number } = {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
    maxPayload: MOST_FRAME_BYTES,
    // The URLs of ws for Unix sockets spell a path in their own way: blanks, colons and question marks would be lost.
    ...(unix && { createConnection: () => connect(unix.path) }),
  };
  const ws = new WebSocket(unix ? `ws://localhost/${unix.query}` : url, subprotocol, options);
  let refused: number | undefined;
  let cause: Error | undefined;
  let malformed = false;
  const late = setTimeout(() => {
    cause = new Error(`no WebSocket within ${HANDSHAKE_MS} ms`);
    ws.terminate();
  }, HANDSHAKE_MS);
  ws.on('open', () => {
    clearTimeout(late);
    events.onOpen();
  });
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
  ws.on('error', (error: NodeJS.ErrnoException) => {
    cause ??= error;
    malformed ||= error.code?.startsWith('WS_ERR_') === true;
  });
  ws.on('close', (code) => {
    clearTimeout(late);
    events.onClose({ code, refused, cause, malformed });
  });
  return {
    send: (frame, onSent) => ws.send(frame, () => onSent?.()),
    get bufferedBytes() {
      return ws.bufferedAmount;
    },
    close: () => ws.close(1000),
    terminate: (code) => {
      if (code !== undefined) ws.close(code);
      ws.terminate();
    },
  };
};
