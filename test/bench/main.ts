import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { document } from './document.js';
import { Ending } from './ending.js';
import { machine } from './machine.js';
import { markdownTable, type Section, targetTable } from './report.js';
import { scenarios } from './scenarios/all.js';
import { startStage } from './stage.js';

const DOCUMENT = 'docs/performance.md';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const ending = new Ending();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void ending.run().then(() => process.exit(1)));
}

async function bench(): Promise<void> {
  const begun = Date.now();
  const wanted = scenarios.filter(({ name, able }) =>
    values.only === undefined ? able?.() !== false : name === values.only,
  );
  if (wanted.length === 0) throw new Error(`--only takes one of ${scenarios.map(({ name }) => name).join(', ')}`);
  const about = await machine();
  for (const [what, value] of Object.entries(about)) say(`${what}: ${value}`);
  const stage = await startStage(values.quick, ending);
  const sections: Section[] = [];
  for (const { name, run } of wanted) {
    say(`\n== ${name}`);
    const section = await ending.scope((inner) => run(stage, inner));
    sections.push(section);
    say(
      `${section.text}\n\n${markdownTable(section.table)}\n${Math.round((Date.now() - begun) / 1000)} seconds so far`,
    );
  }
  say(`\n== What is wanted\n${markdownTable(targetTable(sections))}`);
  const seconds = Math.round((Date.now() - begun) / 1000);
  say(`\n${seconds} seconds`);
  const results = { date: new Date(begun).toISOString(), quick: values.quick, seconds, machine: about, sections };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  if (values.quick || values.only !== undefined) return;
  writeFileSync(DOCUMENT, document(results));
  say(`Written to ${DOCUMENT}`);
}

try {
  await bench();
} finally {
  await ending.run();
}
