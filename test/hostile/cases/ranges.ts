import assert from 'node:assert/strict';
import { all, repeated, said } from '../../support/hostile-bytes.js';
import { before, instead } from '../../support/hostile-imap.js';
import type { HostileCase, Step } from '../case.js';
import { INBOX, list } from './checks.js';

const ALL_UIDS = '1:4294967295';
const QRESYNC = 'CONDSTORE QRESYNC';
const VANISHED = `* VANISHED ${ALL_UIDS}\r\n`;
/** What a wrong flood of news may end with, beside a result: its connection pays. */
const orLost = ['result', 'CONNECTION_LOST', 'TOO_LARGE'] as const;

const search: Step = { method: 'message.search', params: { mailboxes: ['INBOX'], fields: [] } };
const esearch = (times: number, offers: string): HostileCase['server'] => ({
  offers,
  on: {
    'UID SEARCH': (command, connection, server) => {
      const response = `* ESEARCH (TAG "${command.tag}") UID ALL ${ALL_UIDS}\r\n`;
      return instead(repeated(response, times))(command, connection, server);
    },
  },
});
const copyUid = `COPYUID 1 ${ALL_UIDS} ${ALL_UIDS}`;

function copiesAsked({ uids }: { uids: { source: number }[] }): void {
  assert.ok(uids.length <= 2, `${uids.length} copies of two messages`);
  for (const { source } of uids) assert.ok([1, 2].includes(source), `a copy of ${source}`);
}

/** A few octets that stand for four thousand million uids. */
export const rangeCases: readonly HostileCase[] = [
  {
    name: 'vanished',
    about: '* VANISHED 1:4294967295, once',
    server: { offers: QRESYNC, on: { NOOP: before(said(VANISHED)) } },
    steps: [list, { ...list, ends: ['result', 'CONNECTION_LOST'] }],
  },
  {
    name: 'vanished-flood',
    about: '* VANISHED 1:4294967295, 200,000 times',
    server: { offers: QRESYNC, on: { NOOP: before(repeated(VANISHED, 200_000)) } },
    steps: [list, { ...list, ends: orLost }],
  },
  {
    name: 'vanished-earlier',
    about: '* VANISHED (EARLIER) 1:4294967295 at each SELECT',
    server: {
      offers: QRESYNC,
      select: (lines) => [...lines, `* VANISHED (EARLIER) ${ALL_UIDS}`],
    },
    steps: [list, { ...list, ends: ['result', 'CONNECTION_LOST'] }],
  },
  {
    name: 'vanished-idle',
    about: '* VANISHED 1:4294967295 in IDLE, 1,000 times',
    server: { offers: QRESYNC, idle: repeated(VANISHED, 1000) },
    steps: [list, { method: 'watch.start', params: { mailboxes: ['INBOX'] } }],
    until: 'IDLE',
  },
  {
    name: 'esearch-10',
    about: '* ESEARCH ... ALL 1:4294967295, 10 times',
    server: esearch(10, 'ESEARCH'),
    steps: [{ ...search, ends: ['TOO_LARGE', 'CONNECTION_LOST'] }],
  },
  {
    name: 'esearch-60',
    about: '* ESEARCH ... ALL 1:4294967295, 60 times',
    server: esearch(60, 'ESEARCH'),
    steps: [{ ...search, ends: ['TOO_LARGE', 'CONNECTION_LOST'] }],
  },
  {
    name: 'esearch-small-ranges',
    about: '* ESEARCH with two million ranges in one line',
    server: {
      offers: 'ESEARCH',
      on: {
        'UID SEARCH': (command, connection, server) => {
          const begin = said(`* ESEARCH (TAG "${command.tag}") UID ALL 1`);
          const octets = function* () {
            yield* begin();
            yield* repeated(',1:4294967295', 2_000_000)();
            yield* said('\r\n')();
          };
          return instead(octets)(command, connection, server);
        },
      },
    },
    steps: [{ ...search, ends: ['TOO_LARGE', 'CONNECTION_LOST'] }],
  },
  {
    name: 'esearch-singles',
    about: '* ESEARCH with four million uids and no range in one line',
    server: {
      offers: 'ESEARCH',
      on: {
        'UID SEARCH': (command, connection, server) => {
          const begin = said(`* ESEARCH (TAG "${command.tag}") UID ALL 1`);
          return instead(all(begin, repeated(',7', 4_000_000), said('\r\n')))(command, connection, server);
        },
      },
    },
    steps: [{ ...search, ends: ['TOO_LARGE', 'CONNECTION_LOST'] }],
  },
  {
    name: 'copyuid-copy',
    about: 'COPY answered with COPYUID 1 1:4294967295 1:4294967295',
    server: { on: { 'UID COPY': (command, connection) => connection.ok(command, `[${copyUid}] Copied`) } },
    steps: [
      {
        method: 'message.copy',
        params: { ...INBOX, uids: [1, 2], destination: 'Archive' },
        result: copiesAsked,
      },
    ],
  },
  {
    name: 'copyuid-move',
    about: 'MOVE answered with COPYUID of all uids, 10,000 times',
    server: { on: { 'UID MOVE': instead(repeated(`* OK [${copyUid}] Moved\r\n`, 10_000)) } },
    steps: [
      {
        method: 'message.move',
        params: { ...INBOX, uids: [1, 2], destination: 'Archive' },
        ends: orLost,
        result: copiesAsked,
      },
    ],
  },
  {
    name: 'appenduid-set',
    about: 'APPEND answered with APPENDUID 1 1:4294967295',
    server: { on: { APPEND: (command, connection) => connection.ok(command, `[APPENDUID 1 ${ALL_UIDS}] Stored`) } },
    steps: [{ method: 'message.append', params: { mailbox: 'INBOX', data: 'U3ViamVjdDogYQ0KDQphDQo=' } }],
  },
];
