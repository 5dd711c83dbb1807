import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { defaultSessionLimits } from '../../src/session/sealed-sessions.js';
import { defaultViewLimits } from '../../src/view/views.js';
import { defaultHubLimits } from '../../src/watch/hub.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
/** A document as it is read: without line ends in the middle of a sentence. */
const flat = (file: string) => textOf(file).replace(/\s+/g, ' ');

describe('docs/concepts.md', () => {
  const text = flat('docs/concepts.md');

  it('explains each concept that a caller meets', () => {
    const concepts = [
      'Server',
      'Tenant',
      'Socket',
      'Account',
      'Session',
      'Connection',
      'Lease',
      'View',
      'Validated',
      'Cursor',
    ];
    const more = ['`maxAgeMs`', 'Watch', 'Topic', 'Epoch and seq', '`state` and `ifState`', 'Idempotency key', 'Shard'];
    for (const concept of [...concepts, ...more]) expect(text).toContain(`**${concept}.**`);
  });

  it('is read in five minutes', () => {
    // 250 words a minute.
    expect(text.split(' ').length).toBeLessThan(5 * 250);
  });

  it('has numbers that are the defaults', () => {
    const { connectionsPerAccount, idleMs, acquireTimeoutMs, queuePerAccount } = defaultPoolLimits;
    const { ttlMs, maxAgeMs } = defaultSessionLimits;
    const { events, ageMs } = defaultHubLimits.log;
    for (const sentence of [
      `An account has at most ${connectionsPerAccount},`,
      `logs out after ${idleMs / 1000} seconds without work`,
      `waits, for ${acquireTimeoutMs / 1000} seconds at most; at most ${queuePerAccount} requests of an account wait`,
      `A token ends after ${ttlMs / 3_600_000} hours unless it is renewed, a session after ${maxAgeMs / 86_400_000} days`,
      `bounded for the whole broker (${defaultViewLimits.bytes / 1024 / 1024} MiB)`,
      `keeps ${events.toLocaleString('en')} events of a topic for ${ageMs / 60_000} minutes`,
    ]) {
      expect(text).toContain(sentence);
    }
  });

  it('shows requests that the broker takes', () => {
    const blocks = [...textOf('docs/concepts.md').matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) =>
      JSON.parse(json),
    );
    const requests = blocks.filter((block): block is { method: MethodName; params: object } => 'method' in block);
    expect(requests.length).toBeGreaterThan(3);
    for (const { method, params } of requests)
      expect(contract[method].params.safeParse(params).error, method).toBe(undefined);
  });

  it('has a picture that is small, keeps its own background and names nothing from elsewhere', () => {
    const picture = 'docs/images/concepts.svg';
    expect(textOf('docs/concepts.md')).toContain('](images/concepts.svg)');
    expect(statSync(join(root, picture)).size).toBeLessThan(20_000);
    const svg = textOf(picture);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toMatch(/class="page"/);
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|<image/);
  });
});

describe('docs/glossary.md', () => {
  const terms = [...textOf('docs/glossary.md').matchAll(/^- \*\*`?([^*`]+)`?\*\*: (.*)$/gm)];
  const words = terms.map(([, term = '']) => term);
  /** What people read beside the glossary: documents, the manual, the page, and the dashboard of Grafana. */
  const elsewhere = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md') && name !== 'glossary.md')
      .map((name) => `docs/${name}`),
    'man/imap-broker.1',
    'dashboard/index.html',
    'grafana/imap-broker.json',
  ]
    .map(flat)
    .join(' ')
    .toLowerCase();

  it('has its terms in the order of the alphabet, each once', () => {
    expect(words.length).toBeGreaterThan(60);
    const inOrder = [...words].sort((a, b) => a.localeCompare(b, 'en', { sensitivity: 'base' }) || (a < b ? -1 : 1));
    expect(words).toEqual(inOrder);
    expect(new Set(words).size).toBe(words.length);
  });

  it('explains each in one to three sentences', () => {
    for (const [, term, meaning = ''] of terms) {
      const sentences = meaning.split(/[.!?](?:\s|$)/).filter((sentence) => sentence !== '');
      expect(sentences.length, term).toBeLessThanOrEqual(3);
      expect(meaning, term).toMatch(/[.)]$/);
    }
  });

  it.each(words)('has "%s", which is used elsewhere', (term) => {
    const word = term
      .toLowerCase()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/ /g, '[ -]');
    expect(elsewhere).toMatch(new RegExp(`(?<![a-z])${word}(?:s|es|d|ed)?(?![a-z])`));
  });
});

it('docs/faq.md names keys of the configuration that are there', () => {
  const known = Object.keys(configSchema.shape);
  const named = [...textOf('docs/faq.md').matchAll(/`\[\[?(\w+)\]\]?`/g)].map(([, table = '']) => table);
  expect(named.filter((table) => !known.includes(table))).toEqual([]);
});
