import assert from 'node:assert/strict';
import { all, type Octets, repeated, said } from '../../support/hostile-bytes.js';
import { before, only } from '../../support/hostile-imap.js';
import { type Ending, type HostileCase, PASSWORD } from '../case.js';
import { list } from './checks.js';

const MIB = 1024 * 1024;
const LINES = 1_000_000;
const orLost: readonly Ending[] = ['result', 'CONNECTION_LOST', 'TOO_LARGE'];
const noLogin: readonly Ending[] = ['UPSTREAM_UNAVAILABLE', 'CONNECTION_LOST', 'DEADLINE', 'TOO_LARGE'];

/** What floods are made of. */
const lines: Record<string, string> = {
  flags: '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n',
  exists: '* 3 EXISTS\r\n',
  expunge: '* 1 EXPUNGE\r\n',
  recent: '* 0 RECENT\r\n',
  fetch: '* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n',
  plus: '+ \r\n',
  ok: '* OK still here\r\n',
  no: '* NO not well\r\n',
  capability: '* CAPABILITY IMAP4rev1 IDLE\r\n',
  unknown: '* XSOMETHING (a (b (c)))\r\n',
  empty: '\r\n',
};

/** News without end before the answer to the NOOP of a second listing. */
const atNoop = ([name, line]: [string, string]): HostileCase => ({
  name: `flood-${name}`,
  about: `${LINES.toLocaleString('en')} times ${line.trim() || 'an empty line'} at NOOP`,
  server: { on: { NOOP: before(repeated(line, LINES)) } },
  steps: [list, { ...list, ends: orLost, timeoutMs: 60_000 }],
});
/** The same folder counts 1 to a million and back: each line changes something. */
const growing: Octets = repeated('* 1000000 EXISTS\r\n* 3 EXISTS\r\n', LINES / 2);

/** The same line so many times, each handed to the socket alone: over TLS it is a record of its own. */
function apart(line: string, times: number): Octets {
  const one = Buffer.from(line);
  return function* () {
    for (let count = 0; count < times; count += 1) yield one;
  };
}

/** The password goes out once for each login, however often the server asks. */
const asksAgain = (name: string, mechanism: string, ask: string): HostileCase => ({
  name: `asks-${name}`,
  about: `a million times ${ask.trim()} after AUTHENTICATE ${mechanism}`,
  server: {
    capabilities: `IMAP4rev1 AUTH=${mechanism} ID NAMESPACE IDLE UIDPLUS`,
    on: { AUTHENTICATE: only(repeated(ask, LINES)) },
  },
  login: noLogin,
  steps: [],
  after: ({ server }) => {
    const sent = server.scripted.bytes.toString('latin1');
    const forms = [PASSWORD, Buffer.from(PASSWORD), Buffer.from(`\0mallory\0${PASSWORD}`)].map((form) =>
      typeof form === 'string' ? form : form.toString('base64'),
    );
    const times = forms.reduce((sum, form) => sum + sent.split(form).length - 1, 0);
    assert.ok(times <= server.scripted.accepted, `sent ${times} times in ${server.scripted.accepted} connections`);
  },
});

/** Many small responses, at every moment of a connection's life. */
export const floodCases: readonly HostileCase[] = [
  ...Object.entries(lines).map(atNoop),
  {
    name: 'flood-exists-growing',
    about: 'EXISTS that grows to a million and shrinks, half a million times at NOOP',
    server: { on: { NOOP: before(growing) } },
    steps: [list, { ...list, ends: orLost, timeoutMs: 60_000 }],
  },
  asksAgain('plain', 'PLAIN', '+ \r\n'),
  asksAgain('login', 'LOGIN', '+ VXNlcm5hbWU6\r\n'),
  {
    name: 'flood-greeting',
    about: 'a million untagged lines before the greeting',
    server: { greeting: repeated(lines.unknown ?? '', LINES) },
    login: noLogin,
    steps: [],
  },
  {
    name: 'greeting-endless',
    about: 'a greeting without an end',
    server: { greeting: all(said('* OK '), repeated('a', 300 * MIB)) },
    login: noLogin,
    steps: [],
  },
  {
    name: 'greeting-tls',
    about: 'a greeting without an end, over TLS',
    server: { tls: 'implicit', greeting: all(said('* OK '), repeated('a', 100 * MIB)) },
    login: noLogin,
    steps: [],
  },
  {
    name: 'flood-login',
    about: 'a million capability lists before the answer to the login',
    server: { on: { AUTHENTICATE: before(repeated(lines.capability ?? '', LINES)) } },
    login: ['result', ...noLogin],
    steps: [],
  },
  {
    name: 'capability-10-mb',
    about: 'a capability list of 10 MB',
    server: {
      on: { CAPABILITY: before(all(said('* CAPABILITY IMAP4rev1'), repeated(' X', 5 * MIB), said('\r\n'))) },
    },
    login: ['result', ...noLogin],
    steps: [],
  },
  {
    name: 'namespace-10-mb',
    about: 'a NAMESPACE of 10 MB',
    server: {
      on: { NAMESPACE: before(all(said('* NAMESPACE ('), repeated('("a" "/")', MIB), said(') NIL NIL\r\n'))) },
    },
    login: ['result', ...noLogin],
    steps: [
      { method: 'mailbox.list', ends: ['result', 'TOO_LARGE', 'CONNECTION_LOST', 'IMAP_NO', 'UPSTREAM_UNAVAILABLE'] },
    ],
  },
  {
    name: 'flood-select',
    about: 'a million FLAGS lines in the answer to SELECT',
    server: {
      on: { SELECT: before(repeated(lines.flags ?? '', LINES)), EXAMINE: before(repeated(lines.flags ?? '', LINES)) },
    },
    steps: [{ ...list, ends: orLost, timeoutMs: 60_000 }],
  },
  {
    name: 'flags-10-mb',
    about: 'a FLAGS line of 10 MB in the answer to SELECT',
    server: { select: (said_) => [`* FLAGS (${'\\Seen '.repeat(MIB)})`, ...said_] },
    steps: [{ ...list, ends: orLost }],
  },
  {
    name: 'flood-idle',
    about: 'a million EXISTS lines in IDLE',
    server: { idle: repeated(lines.exists ?? '', LINES) },
    steps: [list, { method: 'watch.start', params: { mailboxes: ['INBOX'] } }],
    until: 'IDLE',
  },
  {
    name: 'flood-idle-fetch',
    about: 'a million changed flags in IDLE',
    server: { idle: repeated(lines.fetch ?? '', LINES) },
    steps: [list, { method: 'watch.start', params: { mailboxes: ['INBOX'] } }],
    until: 'IDLE',
  },
  {
    name: 'flood-tls',
    about: 'a million EXISTS lines at NOOP, over TLS',
    server: { tls: 'implicit', on: { NOOP: before(repeated(lines.exists ?? '', LINES)) } },
    steps: [list, { ...list, ends: orLost, timeoutMs: 60_000 }],
  },
  {
    name: 'flood-tls-records',
    about: '50,000 EXISTS lines at NOOP, each in a TLS record of its own',
    server: { tls: 'implicit', on: { NOOP: before(apart(lines.exists ?? '', 50_000)) } },
    steps: [list, { ...list, ends: orLost, timeoutMs: 60_000 }],
  },
];
