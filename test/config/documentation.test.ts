import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { checkConfig } from '../../src/cli/check-config.js';
import { parseConfig } from '../../src/config/load.js';
import { configSchema } from '../../src/config/schema.js';
import { referenceTables } from './reference.js';
import { EXAMPLES, sampleConfiguration } from './sample.js';

type Node = z.core.JSONSchema.JSONSchema;

const root = new URL('../../', import.meta.url);
const docs = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)];

/** A table without the padding that aligns its columns. */
function unpadded(markdown: string): string {
  return markdown
    .replace(/ +\|/g, ' |')
    .replace(/\| +/g, '| ')
    .replace(/\|(?: ?-{3,} ?\|)+/g, '|---|');
}

/** The fenced blocks of a page in a language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, block]) => block ?? '');
}

describe('docs/configuration.md', () => {
  const file = new URL('docs/configuration.md', root);

  it.each([...referenceTables()])('has the keys of %s as the schema has them', (heading, table) => {
    const title = heading.startsWith('[') ? `\`${heading}\`` : heading;
    const text = readFileSync(file, 'utf8');
    const [before, section = ''] = text.split(`## ${title}\n`);
    if (process.env.UPDATE_DOCS === '1') {
      const written = section.replace(/\| key +\| value[^\n]*\n(?:\|[^\n]*\n)+/, `${table}\n`);
      writeFileSync(file, `${before}## ${title}\n${written}`);
    } else expect(unpadded(section.split('\n## ')[0] ?? '')).toContain(unpadded(table));
  });
});

describe('docs/sample.toml', () => {
  const file = new URL('docs/sample.toml', root);
  const sample = () => readFileSync(file, 'utf8');

  it('has every key with its meaning and its default, as the schema has them', () => {
    const wanted = sampleConfiguration();
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, wanted);
    else expect(sample()).toBe(wanted);
    const { properties = {} } = z.toJSONSchema(configSchema, { io: 'input' });
    for (const [section, node] of Object.entries(properties)) {
      const table = ((node as Node).items ?? node) as Node;
      for (const key of Object.keys(table.properties ?? { [section]: node })) {
        expect(wanted).toMatch(new RegExp(`^(?:# Example: |#)?${key} = `, 'm'));
      }
    }
  });

  it('can be used as it is, and means the same with every default in force', () => {
    const text = sample();
    const uncommented = text.replace(/^#(?=[\w[])/gm, '');
    expect(uncommented.match(/^\w+ = /gm)?.length).toBeGreaterThan(40);
    const [asItIs, inForce] = [text, uncommented].map((one) => {
      const { monitor, settings, servers, ...broker } = parseConfig(one, '/etc/imap-broker').broker;
      return { broker, servers: servers.map((server) => ({ ...server, secureContext: undefined })) };
    });
    expect(inForce).toEqual(asItIs);
  });

  it('passes check-config in both forms', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-sample-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const text of [sample(), sample().replace(/^#(?=[\w[])/gm, '')]) {
      const path = join(folder, 'config.toml');
      writeFileSync(path, text);
      const printed: string[] = [];
      const print = (one: string) => void printed.push(one);
      expect(checkConfig(path, { out: print, outBytes: async () => {}, err: print })).toBe(0);
      expect(printed.join('')).toBe(`${path}: OK: 1 listener(s), 1 server(s), 1 tenant(s)\n`);
    }
  });

  it.each(Object.entries(EXAMPLES))('has for %s an example that the key takes: %s', (key, example) => {
    const [section = '', name = ''] = key.split('.');
    const { value } = parse(`value = ${example}`) as { value: unknown };
    const node = shapeOf(configSchema.shape[section as keyof typeof configSchema.shape]);
    expect(node[name]?.safeParse(value).error).toBeUndefined();
  });
});

/** The keys of a table of the schema, below whatever it is wrapped in. */
function shapeOf(schema: z.core.$ZodType): Record<string, z.ZodType> {
  const def = schema._zod.def as unknown as Partial<Record<string, z.core.$ZodType>>;
  const inner = def.innerType ?? def.element ?? def.in;
  return inner ? shapeOf(inner) : (def.shape as unknown as Record<string, z.ZodType>);
}

describe('examples in TOML', () => {
  // The configuration of the first hour gets its application by the command after it; first-hour.test.ts runs both.
  const whole = pages.filter((page) => page !== 'docs/first-hour.md');
  const examples = whole.flatMap((page) => blocks(page, 'toml').map((block) => ({ page, block })));

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  it.each(examples)('of $page pass check-config', ({ block }) => {
    expect(parseConfig(block, '/etc/imap-broker').broker.servers.length).toBeGreaterThan(0);
  });
});
