import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import type { MetricEntry } from '../../src/runtime/metrics.js';
import { idleBroker } from '../support/idle-broker.js';

const file = new URL('../../docs/metrics.md', import.meta.url);
const begin = '<!-- From here on written by `npm run docs`. -->\n';

function rowOf({ name, type, labels, help }: MetricEntry): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ') || '-'} | ${help} |`;
}

it('docs/metrics.md describes just what a broker tells; `npm run docs` writes it anew', async () => {
  const broker = await idleBroker();
  onTestFinished(() => broker.stop());
  const table = ['| metric | type | labels | meaning |', '|---|---|---|---|', ...broker.metrics.map(rowOf)].join('\n');
  const [prose = '', reference] = readFileSync(file, 'utf8').split(begin);
  const wanted = `\n${table}\n`;
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, prose + begin + wanted);
  else expect(reference).toBe(wanted);
});
