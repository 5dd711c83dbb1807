import type { RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Log } from '../runtime/log/log.js';
import type { Metrics } from '../runtime/metrics.js';
import { pageFiles } from './page-files.js';
import { isOurs } from './upgrade.js';

/** What is answered to a GET. */
export interface Page {
  status: number;
  type: string;
  body: string;
  /** Default: nothing may be loaded or run. */
  policy?: string;
}

export interface MonitorOptions {
  metrics: Metrics;
  /** Why the broker takes no new work now; undefined when it does. */
  notReady(): string | undefined;
  /** Why each IMAP server cannot be reached, by name; undefined for one that can. */
  upstreams(): Promise<ReadonlyMap<string, string | undefined>>;
  /** `Host` headers that are taken without TLS beside localhost and IP addresses. */
  allowedHosts(): readonly string[];
  log: Log;
}

/** The page loads what the monitor itself serves, and nothing that is written into it runs. */
const PAGE_POLICY = [
  "default-src 'none'",
  ...['script', 'style', 'connect', 'img'].map((kind) => `${kind}-src 'self'`),
  ...['frame-ancestors', 'base-uri', 'form-action'].map((name) => `${name} 'none'`),
].join('; ');

const PLAIN = 'text/plain; charset=utf-8';

/** Answers what operators' programs ask, `/metrics`, `/healthz`, `/readyz` and `/upstreamz`, and serves the page for operators at `/`. */
export function monitorPages(options: MonitorOptions): RequestListener {
  const { metrics, notReady, upstreams, allowedHosts, log } = options;
  const pages = new Map<string, () => Promise<Page>>([
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
    // The answer itself is enough: it shows that the event loop turns.
    ['/healthz', async () => plainPage(200, 'ok')],
    [
      '/readyz',
      async () => {
        const why = notReady();
        return why === undefined ? plainPage(200, 'ready') : plainPage(503, `not ready: ${why}`);
      },
    ],
    ['/upstreamz', async () => upstreamPage(await upstreams())],
  ]);
  const paths = ['/', ...pages.keys()].join(', ');
  for (const [path, file] of pageFiles()) pages.set(path, async () => ({ status: 200, ...file, policy: PAGE_POLICY }));
  return (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const page = pages.get(url.replace(/\?.*/, ''));
    if (!isOurs(headers.host, socket instanceof TLSSocket ? undefined : allowedHosts())) {
      send(response, plainPage(403, 'This Host is not allowed.'));
    } else if (!page) {
      send(response, plainPage(404, `There is ${paths}.`));
    } else if (method !== 'GET' && method !== 'HEAD') {
      send(response, plainPage(405, 'GET and HEAD alone.'));
    } else {
      void page().then(
        (found) => send(response, found),
        (err) => {
          log.error({ err, url }, 'the monitor failed to answer');
          send(response, plainPage(500, 'The broker failed; its log has the cause.'));
        },
      );
    }
  };
}

/** A line for each server; one that cannot be reached makes it a 503. */
function upstreamPage(upstreams: ReadonlyMap<string, string | undefined>): Page {
  const lines = Array.from(upstreams, ([name, problem]) => `${name}: ${problem ?? 'reachable'}`);
  const reached = [...upstreams.values()].every((problem) => problem === undefined);
  return plainPage(reached ? 200 : 503, lines.join('\n'));
}

function plainPage(status: number, text: string): Page {
  return { status, type: PLAIN, body: `${text}\n` };
}

/** Sends a page; for a HEAD Node leaves the body out. */
function send(response: ServerResponse, { status, type, body, policy = "default-src 'none'" }: Page): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
