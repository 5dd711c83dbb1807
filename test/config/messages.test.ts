import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import { GOOD, instead, keys, tables } from './mistakes.js';
import { numbers, paths, secrets, texts } from './mistakes-in-values.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-messages-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The problems of a file, with FILE and FOLDER in place of the paths. */
function problemsOf(content: string | Buffer): string[] {
  const file = join(folder, 'config.toml');
  writeFileSync(file, content);
  return problemsAt(file).map((one) => one.replaceAll(file, 'FILE').replaceAll(folder, 'FOLDER'));
}

function problemsAt(path: string): readonly string[] {
  try {
    loadConfig(path);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe.each([
  ['tables', tables],
  ['keys', keys],
  ['numbers', numbers],
  ['texts', texts],
  ['secrets', secrets],
  ['paths', paths],
])('what is said of wrong %s', (_what, cases) => {
  it.each(cases)('%s', (_case, text, problem) => {
    expect(problemsOf(text)).toEqual([`FILE: ${problem}`]);
    // The same of a file that was written on Windows, and with a mark of its encoding.
    expect(problemsOf(`\ufeff${text.replaceAll('\n', '\r\n')}`)).toEqual([`FILE: ${problem}`]);
  });
});

it('no message repeats a secret', () => {
  for (const [, text] of [...secrets, ...keys, ...texts]) {
    expect(problemsOf(text).join('\n')).not.toMatch(/hunter2|ibt_/);
  }
});

it('whatever is put in or left out, the file is taken or each problem is a sentence', () => {
  const piece = fc.oneof(
    fc.constantFrom('"', "'", '[', ']', '[[', '=', ':', '#', '\\', '\n', '{', '}', ',', '0', '-', '\u2028', '[pool]\n'),
    fc.string({ maxLength: 4 }),
  );
  const edit = fc.tuple(fc.nat(GOOD.length), fc.nat(12), piece);
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce((one, [at, gone, put]) => one.slice(0, at) + put + one.slice(at + gone), GOOD);
      for (const problem of problemsOf(text)) expect(problem).toMatch(/^(?:FILE|cannot read FILE): \P{Cc}+$/u);
    }),
    { numRuns: 300 },
  );
});

describe('what is taken', () => {
  it.each([
    ['lines that end as on Windows', GOOD.replaceAll('\n', '\r\n')],
    ['a mark of the encoding', `\ufeff${GOOD}`],
    ['tabs and blanks', GOOD.replaceAll(/^(?=\w)/gm, '\t  ').replaceAll(' = ', '\t=\t')],
    ['an IPv6 address', instead('imap.example.com', '2001:db8::1')],
    ['an IPv6 address with a zone', instead('imap.example.com', 'fe80::1%eth0')],
    ['a name in another alphabet', instead('imap.example.com', 'почта.example')],
    ['a name of a hosts file', instead('imap.example.com', 'mail_1')],
    ['the origin of an app', `allowed_origins = ["capacitor://localhost"]\n${GOOD}`],
    ['a mode in octal', instead('"broker.sock"', '"broker.sock"\nmode = 0o660')],
  ])('%s', (_what, text) => {
    expect(problemsOf(text)).toEqual([]);
  });
});

describe('a configuration file that cannot be read', () => {
  it('that is not there, a folder, in a file or a circle', () => {
    const at = (name: string) => problemsAt(join(folder, name)).map((one) => one.replaceAll(folder, 'FOLDER'));
    writeFileSync(join(folder, 'a-file'), GOOD);
    mkdirSync(join(folder, 'a-folder'));
    symlinkSync('circle', join(folder, 'circle'));
    expect(at('none')).toEqual(['cannot read FOLDER/none: there is no such file']);
    expect(at('a-folder')).toEqual(['cannot read FOLDER/a-folder: it is a folder']);
    expect(at('a-file/config')).toEqual([
      'cannot read FOLDER/a-file/config: a part of the path is a file, not a folder',
    ]);
    expect(at('circle')).toEqual(['cannot read FOLDER/circle: its symbolic links lead in a circle']);
  });

  it('that is in another encoding, or too large', () => {
    expect(problemsOf(Buffer.from(`\ufeff${GOOD}`, 'utf16le'))).toEqual([
      'cannot read FILE: it is in UTF-16: save it as UTF-8',
    ]);
    expect(problemsOf(Buffer.from(`# Grüße\n${GOOD}`, 'latin1'))).toEqual(['cannot read FILE: it is not UTF-8 text']);
    expect(problemsOf('#'.repeat(4 * 1024 * 1024 + 1))).toEqual(['cannot read FILE: it is larger than 4 MiB']);
  });

  it('an empty one, which lacks everything', () => {
    expect(problemsOf('')).toEqual(
      ['listener', 'server', 'tenant'].map(
        (table) => `FILE: ${table}: is missing: at least one [[${table}]] is needed`,
      ),
    );
  });
});
