import { get } from 'node:http';

export interface Page {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** GETs a page of a monitor, at `http:` or `unix:`. */
export function page(monitorUrl: string | undefined, path: string, options: { method?: string; host?: string } = {}) {
  const { method = 'GET', host = '127.0.0.1' } = options;
  const [, unix] = /^unix:(.*)/.exec(monitorUrl ?? '') ?? [];
  const target = unix === undefined ? new URL(monitorUrl ?? '') : undefined;
  const where = target ? { host: target.hostname, port: target.port } : { socketPath: unix };
  return new Promise<Page>((resolve, reject) => {
    get({ ...where, path, method, headers: { host }, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    }).on('error', reject);
  });
}

/** The samples in Prometheus' text format: value by name with labels, such as `a_total{server="x"}`. */
export function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
