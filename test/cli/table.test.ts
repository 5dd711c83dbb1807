import { expect, it } from 'vitest';
import { cutMiddle, fill, widthOf } from '../../src/cli/screen.js';
import { table } from '../../src/cli/table.js';

const columns = [{ title: 'USER' }, { title: 'WAITING', number: true }];

it('keeps columns in line, whatever letters a name has', () => {
  // Two columns of a terminal for each letter of 張偉 and for the face, none for the dots of o\u0308.
  expect(
    table(columns, [
      ['張偉', 1],
      ['o\u0308de', 22],
      ['😀x', 3],
    ]),
  ).toBe('USER  WAITING\n張偉        1\no\u0308de        22\n😀x         3\n');
});

it('shows no letter that changes what stands beside it', () => {
  expect(
    table(columns, [
      ['evil\u202eresu\u2066', 1],
      ['\x1b[2J', 2],
    ]),
  ).toBe('USER        WAITING\nevil?resu?        1\n?[2J              2\n');
});

const many = [
  { title: 'ID', whole: true },
  { title: 'USER' },
  { title: 'STATE', colour: (state: string) => (state === 'busy' ? ('red' as const) : undefined) },
  { title: 'SENT', number: true },
  { title: 'RECEIVED', number: true },
];
const row = ['session-of-22-letters-', 'a-name-that-is-far-too-long@a-host.example.org', 'busy', 1, 2];

it('fits a terminal: the widest texts are cut in their middle, ids are not, and numbers are left out last', () => {
  expect(table(many, [row], { columns: 80, colour: false })).toBe(
    'ID                      USER                               STATE  SENT  RECEIVED\n' +
      'session-of-22-letters-  a-name-that-is-f…host.example.org  busy      1         2\n',
  );
  expect(table(many, [row], { columns: 50, colour: false })).toBe(
    'ID                      USER           STATE  SENT\n' +
      'session-of-22-letters-  a-name…le.org  busy      1\n' +
      'No room for RECEIVED; --json has all.\n',
  );
});

it.each([20, 31, 47, 80, 133])(
  'no line is wider than a terminal of %d columns, whatever letters names have',
  (columns) => {
    const names = [
      '收件箱'.repeat(30),
      '👨‍👩‍👧'.repeat(20),
      'e\u0301'.repeat(90),
      'क्षि'.repeat(40),
      '❤️ '.repeat(40),
      '',
    ];
    const rows = names.map((name) => [name, name, 1]);
    const text = table([{ title: 'USER' }, { title: 'FOLDER' }, { title: 'WAITING', number: true }], rows, {
      columns,
      colour: false,
    });
    for (const line of text.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
  },
);

it('elsewhere than in a terminal cuts nothing, and has no colours', () => {
  expect(table(many, [row])).toContain(`${row[1]}  busy      1         2\n`);
  expect(table(many, [row])).not.toContain('\x1b');
  expect(table(many, [row], { columns: 200, colour: true })).toContain('\x1b[31mbusy\x1b[0m');
});

it('a text that goes on in further lines stays in its column', () => {
  const columns = [{ title: 'STEP' }, { title: 'DETAIL', wraps: true }];
  expect(
    table(
      columns,
      [
        ['tls', 'the certificate is not trusted: self-signed'],
        ['dns', ''],
      ],
      { columns: 30, colour: false },
    ),
  ).toBe('STEP  DETAIL\n' + 'tls   the certificate is not\n' + '      trusted: self-signed\n' + 'dns\n');
});

it.each([
  ['short', 5, 'short'],
  ['a-long-name', 7, 'a-l…ame'],
  ['a-long-name', 1, '…'],
  ['收件箱收件箱', 6, '收…箱'],
  ['👨‍👩‍👧👨‍👩‍👧', 8, '👨‍👩‍👧…'],
])('%s in %d columns is %s', (text, columns, shown) => {
  expect(cutMiddle(text, columns)).toBe(shown);
});

it('what belongs to a label goes on in indented lines', () => {
  const parts = ['one', { text: 'two', colour: 'red' as const }, 'three', 'a-part-that-is-too-long-itself'];
  expect(fill('label', parts, { columns: 26, colour: false })).toEqual([
    'label        one  two',
    '             three',
    '             a-part…itself',
  ]);
  expect(fill('label', parts.slice(0, 2), { columns: 80, colour: true })).toEqual([
    'label        one  \x1b[31mtwo\x1b[0m',
  ]);
});
