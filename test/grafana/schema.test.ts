import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { defaultDashboard } from '@grafana/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/built.js';

const text = readFileSync(join(projectRoot, 'grafana/imap-broker.json'), 'utf8');

/** Dashboards that Grafana would not show as they are meant: each with what is changed in the text. */
const wrong: [name: string, now: string, instead: string][] = [
  ['a place of the legend that there is not', '"placement": "bottom"', '"placement": "below"'],
  ['a way to draw that there is not', '"drawStyle": "line"', '"drawStyle": "lines"'],
  ['an option that its panel does not have', '"wideLayout": true', '"wideLayuot": true'],
  ['a number as a text', '"lineWidth": 1', '"lineWidth": "1"'],
  ['a panel without its place', '"gridPos"', '"gridPosition"'],
  ['a panel of another plugin', '"type": "stat"', '"type": "singlestat"'],
  ['a query without its letter', '"refId": "A"', '"ref": "A"'],
  ['an answer in a form that there is not', '"format": "table"', '"format": "rows"'],
  ['a look of cells that there is not', '"type": "color-text"', '"type": "colour-text"'],
  ['a time to ask that there is not', '"refresh": 2', '"refresh": 7'],
];

/** What the compiler says of each file. */
let told: Map<string, string[]>;
let folder: string;
beforeAll(() => {
  // Within the project, so that the compiler finds its packages.
  const cache = join(projectRoot, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'imap-broker-dashboard-'));
  const types = relative(folder, join(projectRoot, 'test/grafana/dashboard-types.js'));
  const files = [text, ...wrong.map(([, now, instead]) => text.replace(now, () => instead))].map((json, index) => {
    const file = `dashboard-${index}.ts`;
    const lines = [
      `import type { PrometheusDashboard } from '${types}';`,
      `export const dashboard: PrometheusDashboard = ${json};`,
    ];
    writeFileSync(join(folder, file), lines.join('\n'));
    return file;
  });
  const config = {
    extends: relative(folder, join(projectRoot, 'tsconfig.json')),
    compilerOptions: { noEmit: true },
    files,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, include: [] }));
  const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', folder], { encoding: 'utf8' });
  told = new Map(files.map((file) => [file, []]));
  for (const line of stdout.split('\n').filter((one) => /\berror TS\d+:/.test(one))) {
    const file = /(dashboard-\d+\.ts)\(/.exec(line)?.[1] ?? 'elsewhere';
    told.set(file, [...(told.get(file) ?? []), line]);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the dashboard, by the types of Grafana', () => {
  it('has no member that Grafana does not know, and each that it needs', () => {
    expect(told.get('dashboard-0.ts')).toEqual([]);
    expect(told.get('elsewhere')).toBeUndefined();
  });

  it.each(wrong.map(([name], index) => [name, index + 1] as const))('would be refused with %s', (_, index) => {
    expect(told.get(`dashboard-${index}.ts`)).not.toEqual([]);
  });

  it('is of the version of the schema that these types have', () => {
    expect(JSON.parse(text).schemaVersion).toBe(defaultDashboard.schemaVersion);
  });
});
