import assert from 'node:assert/strict';
import { all, numbered, type Octets, repeated, said } from '../../support/hostile-bytes.js';
import { before, type HostileHandler, instead, only } from '../../support/hostile-imap.js';
import { type HostileCase, lazily, type Step } from '../case.js';
import { haveUids, INBOX, list, listWith } from './checks.js';

const MIB = 1024 * 1024;
/** A read is tried twice, and no literal is longer than 64 MiB (`literal_bytes`). */
const MOST_TAKEN_MIB = 2 * 70;
const levels = lazily(() => 'a/'.repeat(30_000));
const search: Step = { method: 'message.search', params: { mailboxes: ['INBOX'], fields: [] } };
const threads: Step = { method: 'message.threads', params: { mailbox: 'INBOX' } };
const over = ['TOO_LARGE', 'CONNECTION_LOST'] as const;

const threading = (name: string, about: string, exists: number, response: Octets): HostileCase => ({
  name,
  about,
  server: { offers: 'THREAD=REFERENCES SORT', exists, on: { 'UID THREAD': instead(response) } },
  steps: [{ ...threads, ends: ['result', ...over] }],
});
const line = (name: string, about: string, on: Record<string, HostileHandler>, step: Step): HostileCase => ({
  name,
  about,
  server: { on },
  steps: [{ ...step, ends: over, timeoutMs: 60_000 }],
  after: ({ server }) => {
    const taken = Math.round(server.streamed / MIB);
    assert.ok(taken <= MOST_TAKEN_MIB, `${taken} MiB were taken of what has no end`);
  },
});

/** A line just below the limit of 10 MiB, of one text over and over, before an answer that is right. */
const dense = (name: string, about: string, begin: string, text: string, end = ''): HostileCase => ({
  name,
  about,
  server: { on: { STATUS: before(all(said(begin), repeated(text, (9 * MIB) / text.length), said(`${end}\r\n`))) } },
  steps: [{ method: 'mailbox.status', params: { mailboxes: ['INBOX'] } }],
});

/** Single responses that take long to read, or that never end. */
export const stallCases: readonly HostileCase[] = [
  {
    name: 'list-levels',
    about: 'a LIST name of 30,000 levels',
    server: {
      on: {
        LIST: (command, connection, server) => {
          if (command.args.endsWith('""')) return server.scripted.answer(command, connection);
          const name = `* LIST () "/" "${levels()}a"`;
          connection.send('* LIST () "/" INBOX', name, `${command.tag} OK LIST completed`);
        },
      },
    },
    steps: [
      {
        method: 'mailbox.list',
        result: ({ mailboxes }) => {
          const names = mailboxes.map(({ name }: { name: string }) => name);
          assert.ok(names.includes('INBOX'), 'the other folder is not listed');
          assert.ok(names.length < 1000, `${names.length} folders of two`);
        },
      },
    ],
  },
  {
    name: 'sort-80-mb',
    about: 'a SORT line of 80 MB',
    server: {
      offers: 'SORT',
      on: {
        'UID SORT': instead(
          all(
            said('* SORT'),
            numbered(10_000_000, (number) => ` ${number}`),
            said('\r\n'),
          ),
        ),
      },
    },
    steps: [{ ...search, ends: over, timeoutMs: 60_000 }],
  },
  {
    name: 'search-80-mb',
    about: 'a SEARCH line of 80 MB',
    server: {
      on: {
        'UID SEARCH': instead(
          all(
            said('* SEARCH'),
            numbered(10_000_000, (number) => ` ${number}`),
            said('\r\n'),
          ),
        ),
      },
    },
    steps: [{ ...search, ends: over, timeoutMs: 60_000 }],
  },
  threading(
    'threads-300000',
    'THREAD of 300,000 conversations',
    300_000,
    all(
      said('* THREAD '),
      numbered(300_000, (number) => `(${number})`),
      said('\r\n'),
    ),
  ),
  threading(
    'threads-nested',
    'THREAD nested 100,000 deep',
    3,
    all(said('* THREAD '), repeated('(1 ', 100_000), repeated(')', 100_000), said('\r\n')),
  ),
  line(
    'line-endless',
    'an untagged line without an end, at LIST',
    { LIST: only(all(said('* LIST () "/" "'), repeated('a', 300 * MIB))) },
    { method: 'mailbox.list' },
  ),
  line(
    'fetch-endless',
    'a FETCH response without an end',
    { FETCH: only(all(said('* 1 FETCH (UID 1 ENVELOPE ("'), repeated('a', 300 * MIB))) },
    list,
  ),
  line(
    'code-endless',
    'a response code without an end, at NOOP',
    { STATUS: only(all(said('* OK ['), repeated('A', 300 * MIB))) },
    { method: 'mailbox.status', params: { mailboxes: ['INBOX'] } },
  ),
  line(
    'literal-4-gb',
    'a literal announced with 4 GB, listed',
    { FETCH: only(all(said('* 1 FETCH (UID 1 ENVELOPE {4294967296}\r\n'), repeated('a', 300 * MIB))) },
    list,
  ),
  line(
    'literal-4-gb-get',
    'a literal announced with 4 GB, opened',
    { 'UID FETCH': only(all(said('* 1 FETCH (UID 1 BODY[1] {4294967296}\r\n'), repeated('a', 300 * MIB))) },
    { method: 'message.get', params: { ...INBOX, uids: [1] } },
  ),
  line(
    'literal-400-digits',
    'a literal announced with 400 digits',
    { FETCH: only(all(said(`* 1 FETCH (UID 1 ENVELOPE {${'9'.repeat(400)}}\r\n`), repeated('a', 300 * MIB))) },
    list,
  ),
  dense('escapes-9-mib', 'a string of 9 MiB of escaped backslashes, at STATUS', '* X "', '\\\\', '"'),
  dense('brackets-9-mib', 'an atom of 9 MiB of opened brackets, at STATUS', '* X ', '['),
  {
    name: 'literals-many',
    about: 'a FETCH response of 200,000 literals',
    server: {
      row: lazily(() => `* 2 FETCH (UID 2 ENVELOPE (${'{1}\r\na '.repeat(200_000)}))\r\n`) as () => string,
      exists: 1,
    },
    steps: [
      listWith({ ends: ['result', ...over], result: ({ messages }) => haveUids(messages, messages.length ? [2] : []) }),
    ],
  },
];
