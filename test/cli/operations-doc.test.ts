import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { runMain } from './run-main.js';

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const alerts = readFileSync(new URL('../../grafana/alerts.yml', import.meta.url), 'utf8');

it('docs/operations.md says for each alert what to do, and for no other', () => {
  const { groups } = parse(alerts) as { groups: Array<{ rules: Array<{ alert: string }> }> };
  const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect([...text.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(names);
});

it('every command that docs/operations.md names is there', async () => {
  const inTables = [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => [
    ...cell.matchAll(/`([a-z -]+?)[ A-Z[\]-]*`/g),
  ]);
  const inText = [...text.matchAll(/(?:^|`)imap-broker ([a-z]+(?:-[a-z]+)?)\b/gm)];
  const commands = new Set([...inTables, ...inText].map(([, command = '']) => command.replace(/ -.*| $/, '')));
  expect(commands.size).toBeGreaterThan(20);
  for (const command of commands) {
    const { out } = await runMain(...command.split(' '), '--help');
    // Of what it does not know it shows the help of the whole.
    expect(out).toMatch(new RegExp(`^Usage: imap-broker ${command}\\b`));
  }
});
