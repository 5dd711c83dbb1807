import type { RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Log } from '../runtime/log.js';
import type { Metrics } from '../runtime/metrics.js';
import { isOurs } from './upgrade.js';

/** What is answered to a GET. */
export interface Page {
  status: number;
  type: string;
  body: string;
}

export interface MonitorOptions {
  metrics: Metrics;
  /** Why the broker should get no new work now; undefined when it may. */
  notReady(): Promise<string | undefined>;
  /** `Host` headers that are taken without TLS beside localhost and IP addresses. */
  allowedHosts: readonly string[];
  log: Log;
}

const PLAIN = 'text/plain; charset=utf-8';

/** Answers what operators' programs ask: `/metrics`, `/healthz` and `/readyz`. */
export function monitor(options: MonitorOptions): RequestListener {
  const { metrics, notReady, allowedHosts, log } = options;
  const pages = new Map<string, () => Promise<Page>>([
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
    // That it is answered is all there is to know: the event loop turns.
    ['/healthz', async () => plain(200, 'ok')],
    [
      '/readyz',
      async () => {
        const why = await notReady();
        return why === undefined ? plain(200, 'ready') : plain(503, `not ready: ${why}`);
      },
    ],
  ]);
  return (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const page = pages.get(url.replace(/\?.*/, ''));
    if (!isOurs(headers.host, socket instanceof TLSSocket ? undefined : allowedHosts)) {
      send(response, plain(403, 'This Host is not allowed.'));
    } else if (!page) {
      send(response, plain(404, `There is ${[...pages.keys()].join(', ')}.`));
    } else if (method !== 'GET' && method !== 'HEAD') {
      send(response, plain(405, 'GET and HEAD alone.'));
    } else {
      void page().then(
        (found) => send(response, found),
        (err) => {
          log.error({ err, url }, 'monitor');
          send(response, plain(500, 'The broker failed; its log has the cause.'));
        },
      );
    }
  };
}

function plain(status: number, text: string): Page {
  return { status, type: PLAIN, body: `${text}\n` };
}

/** To a HEAD Node sends no body. */
function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'",
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
