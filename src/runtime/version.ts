import { readFileSync } from 'node:fs';

/** The version in the package that this file is part of. */
export const version: string = readVersion();

function readVersion(): string {
  // The same file from src/runtime/ (tests) and from dist/src/runtime/ (the package): the first package.json above.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // Not this far up.
    }
  }
  return 'unknown';
}
