import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ServerOptions } from './server-options.js';

/** Longest line that is taken for a greeting, in bytes. */
const MOST_BYTES = 8192;

/**
 * Connects, with TLS where that comes first, waits for the server's greeting (RFC 3501 section 7.1) and says goodbye: nobody
 * logs in. Rejects with the reason when it does not come within the time, in milliseconds.
 */
export function greeting(server: ServerOptions, timeoutMs: number): Promise<void> {
  const { host, port, tls, servername, secureContext } = server;
  const socket =
    tls === 'implicit'
      ? connectTls({
          host,
          port,
          secureContext,
          minVersion: 'TLSv1.2',
          ...(servername === undefined ? {} : { servername }),
        })
      : connect({ host, port });
  return new Promise<void>((resolve, reject) => {
    let heard = '';
    const timer = setTimeout(() => fail(new Error(`no greeting within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error) => {
      reject(error);
      socket.destroy();
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      heard += text;
      if (/^\* (OK|PREAUTH)\b[^\n]*\n/i.test(heard)) {
        resolve();
        socket.write('1 LOGOUT\r\n');
        socket.destroySoon();
      } else if (heard.includes('\n') || heard.length > MOST_BYTES) {
        fail(new Error(`it says: ${heard.slice(0, 200).trim()}`));
      }
    });
    socket.on('end', () => fail(new Error('it closed the connection without a greeting')));
    // After the greeting nothing is of interest any more, but an error that nobody hears would end the process.
    socket.on('error', fail);
    socket.once('close', () => clearTimeout(timer));
  });
}
