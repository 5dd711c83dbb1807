import assert from 'node:assert/strict';
import { envelopeOf, textPart } from '../../support/hostile-mailbox.js';
import { type Aftermath, type HostileCase, lazily, type Step } from '../case.js';
import { haveUids, INBOX, list, onlyUnreadable, type SeenRow } from './checks.js';

/** An empty group in an ENVELOPE: its begin and its end (RFC 9051 section 7.5.2). */
const GROUP = '(NIL NIL "g" NIL)(NIL NIL NIL NIL)';
const ADDRESS = '(NIL NIL "someone" "example.com")';
const fromGroups = lazily(() => envelopeOf({ from: `(${GROUP.repeat(34_000)})` }));
const ccGroups = lazily(() => envelopeOf({ cc: `(${GROUP.repeat(40_000)})` }));
const addresses = lazily(() => envelopeOf({ cc: `(${ADDRESS.repeat(200_000)})` }));
const BROKEN = '* 2 FETCH (UID 2 FLAGS (\\Seen) RFC822.SIZE 1002 ENVELOPE (NIL "x" %%% ((("\r\n';

/** The second of five messages has another envelope; the others are as they should be. */
const second = (envelope: () => string): HostileCase['server'] => ({
  exists: 5,
  items: { ENVELOPE: (uid) => (uid === 2 ? envelope() : envelopeOf({ subject: `"Message ${uid}"` })) },
});

const listed: Step = {
  ...list,
  result: ({ messages }: { messages: SeenRow[] }) => {
    haveUids(messages, [1, 2, 3, 4, 5]);
    onlyUnreadable(messages, 'envelope', [2]);
  },
};
const opened: Step = {
  method: 'message.get',
  params: { ...INBOX, uids: [1, 2, 3] },
  result: ({ messages }: { messages: SeenRow[] }) => {
    haveUids(messages, [1, 2, 3]);
    onlyUnreadable(messages, 'envelope', [2]);
  },
};

/** One line of the log names the message. */
function oneLine({ log }: Aftermath): void {
  const lines = log.filter(({ uid }) => uid === 2);
  assert.equal(lines.length, 1, `${lines.length} lines of the log have uid 2`);
}

const words = lazily(() => {
  const all = Array.from({ length: 1000 }, (_, index) => `=?cp9${index}?q?=e4?=`).join(' ');
  return `Subject: ${all} \xe4`.slice(0, 16_000);
});

function rowOfWords(uid: number): string {
  const envelope = envelopeOf({ subject: `{1}\r\n\xe4` });
  const structure = textPart('PLAIN', 3, '("CHARSET" "iso-2022-jp")');
  const header = `BODY[HEADER.FIELDS (SUBJECT)]<0> {${words().length}}\r\n${words()}`;
  return `* ${uid} FETCH (UID ${uid} FLAGS () ENVELOPE ${envelope} BODYSTRUCTURE ${structure} ${header})\r\n`;
}

/** Single rows that cannot be read: each costs itself alone. */
export const rowCases: readonly HostileCase[] = [
  {
    name: 'header-words',
    about: '50 rows with 16 KB of words in charsets that do not exist, listed',
    server: { exists: 50, row: rowOfWords },
    steps: [
      {
        ...list,
        params: { mailbox: 'INBOX', limit: 50, fields: ['envelope', { headers: ['Subject'] }] },
        result: ({ messages }: { messages: SeenRow[] }) => assert.equal(messages.length, 50),
      },
    ],
  },
  { name: 'from-groups', about: 'a From: of 34,000 empty groups', server: second(fromGroups), steps: [listed] },
  { name: 'cc-groups', about: 'a Cc: of 40,000 empty groups', server: second(ccGroups), steps: [listed] },
  { name: 'addresses', about: 'an ENVELOPE of 200,000 addresses', server: second(addresses), steps: [listed] },
  {
    name: 'groups-get',
    about: 'the From: of 34,000 empty groups, opened',
    server: second(fromGroups),
    steps: [opened],
  },
  {
    name: 'row-broken',
    about: 'a FETCH response that cannot be parsed, listed',
    server: { exists: 5, row: (uid) => (uid === 2 ? BROKEN : undefined) },
    steps: [listed],
    after: oneLine,
  },
  {
    name: 'row-broken-get',
    about: 'a FETCH response that cannot be parsed, opened',
    server: { exists: 5, row: (uid) => (uid === 2 ? BROKEN : undefined) },
    steps: [opened],
    after: oneLine,
  },
];
