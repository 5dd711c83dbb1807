import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';

/** A file of the page. */
export interface PageFile {
  type: string;
  body: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the charts' package, by the names that the page asks for. */
const charts = { 'uplot.js': 'uplot/dist/uPlot.esm.js', 'uplot.css': 'uplot/dist/uPlot.min.css' };

/** The page for operators, by path: `/` and what it loads. The files are read once; they are small. */
export function pageFiles(): Map<string, PageFile> {
  const folder = dashboardFolder();
  const require = createRequire(import.meta.url);
  const own = readdirSync(folder).map((name) => [name, new URL(name, folder)] as const);
  const others = Object.entries(charts).map(([name, path]) => [name, require.resolve(path)] as const);
  return new Map(
    [...own, ...others].map(([name, path]) => [
      name === 'index.html' ? '/' : `/dashboard/${name}`,
      { type: types[extname(name)] ?? 'text/plain', body: readFileSync(path, 'utf8') },
    ]),
  );
}

/** The same folder from src/server/ (tests) and from dist/src/server/ (the package). */
function dashboardFolder(): URL {
  const above = ['../../dashboard/', '../../../dashboard/'].map((up) => new URL(up, import.meta.url));
  const found = above.find(holdsPage);
  if (!found)
    throw new Error(`The page of the monitor is missing at ${above.map(({ pathname }) => pathname).join(', ')}.`);
  return found;
}

function holdsPage(folder: URL): boolean {
  try {
    return readdirSync(folder).includes('index.html');
  } catch {
    return false;
  }
}
