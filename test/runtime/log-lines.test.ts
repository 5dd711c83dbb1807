import { fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { humanLine, isJournal, journalLine } from '../../src/runtime/log/log-lines.js';

const time = '2026-11-29T06:46:37.090Z';
const lineOf = (level: string, members: object = {}) => `${JSON.stringify({ level, time, ...members })}\n`;

it.each([
  ['trace', 7],
  ['debug', 7],
  ['info', 6],
  ['warn', 4],
  ['error', 3],
  ['fatal', 2],
])('a line at %s has priority %d for the journal, and is JSON behind that', (level, priority) => {
  expect(journalLine(lineOf(level, { msg: 'said' }))).toBe(`<${priority}>${lineOf(level, { msg: 'said' })}`);
});

it('the journal is known by its stream, not by a variable that was inherited', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const fd = openSync(join(folder, 'stream'), 'w');
  const { dev, ino } = fstatSync(fd);
  expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
  expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino + 1}` })).toBe(false);
  expect(isJournal(fd, { JOURNAL_STREAM: 'nonsense' })).toBe(false);
  expect(isJournal(fd, {})).toBe(false);
});

it('a person gets time, level, message and members, and errors with their causes', () => {
  const cause = { type: 'Error', message: 'inner', stack: 'Error: inner\n    at there' };
  const err = { type: 'TypeError', message: 'outer', stack: 'TypeError: outer\n    at here', cause };
  const line = lineOf('warn', { server: 'main', urls: ['ws://a b'], ms: 1.5, err, msg: 'no IMAP connection' });
  const [first, ...rest] = humanLine(line, false).split('\n');
  expect(first).toMatch(/^\d\d:\d\d:\d\d WARN {2}no IMAP connection server=main urls=\["ws:\/\/a b"\] ms=1\.5$/);
  expect(rest).toEqual(['    TypeError: outer', '        at here', '    Error: inner', '        at there', '']);
  expect(humanLine(line, true)).toContain('\x1b[33mWARN \x1b[0m');
});

it('what others have written moves no cursor', () => {
  const line = lineOf('info', { user: '\x1b[2J\u202e', other: ['\x9b2J'], msg: 'a\nb' });
  expect(humanLine(line, false)).toMatch(/ INFO {2}a\?b user=\?\[2J\? other=\["\?2J"\]\n$/);
});
