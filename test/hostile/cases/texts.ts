import assert from 'node:assert/strict';
import type { WireError } from '../../../src/protocol/errors.js';
import { all, repeated, said } from '../../support/hostile-bytes.js';
import { tagged } from '../../support/hostile-imap.js';
import { type HostileCase, PASSWORD } from '../case.js';

const SIXTY_MIB = 60 * 1024 * 1024;
const MOST_TEXT = 1024;
const long = repeated('a refusal without end ', Math.ceil(SIXTY_MIB / 22));
/** The password as a server has it that quotes what it was sent. */
const inBase64 = Buffer.from(`\0mallory\0${PASSWORD}`).toString('base64');

function isCut({ data: { kind, imap } }: WireError): void {
  if (kind === 'TOO_LARGE') return;
  const length = imap?.text.length ?? 0;
  assert.ok(length > 0 && length <= MOST_TEXT, `the words of the server have ${length} characters`);
}
function saysNothing(error: WireError): void {
  const text = JSON.stringify(error);
  for (const secret of [PASSWORD, inBase64]) assert.ok(!text.includes(secret), 'the password is in the error');
}

/** What servers say when they refuse. */
export const textCases: readonly HostileCase[] = [
  {
    name: 'no-60-mib',
    about: 'a tagged NO with 60 MiB of text',
    server: { on: { LIST: tagged('NO', long) } },
    steps: [{ method: 'mailbox.list', ends: ['TOO_LARGE'], timeoutMs: 60_000 }],
  },
  {
    name: 'no-5-mib',
    about: 'a tagged NO with 5 MiB of text',
    server: { on: { LIST: tagged('NO', repeated('a refusal without end ', 240_000)) } },
    steps: [{ method: 'mailbox.list', ends: ['IMAP_NO'], error: isCut, timeoutMs: 60_000 }],
  },
  {
    name: 'bad-select-60-mib',
    about: 'a tagged BAD to SELECT with 60 MiB of text',
    server: { on: { SELECT: tagged('BAD', long), EXAMINE: tagged('BAD', long) } },
    steps: [{ method: 'message.list', params: { mailbox: 'INBOX' }, ends: ['TOO_LARGE'], timeoutMs: 60_000 }],
  },
  {
    name: 'no-controls',
    about: 'a tagged NO with control characters',
    server: { on: { LIST: tagged('NO', said('no\x07 \x1b[31mred\x1b[0m\tand \x00 NUL and \x7f and \x9b')) } },
    steps: [{ method: 'mailbox.list', ends: ['IMAP_NO'], error: isCut }],
  },
  {
    name: 'no-code-60-mib',
    about: 'a tagged NO with a response code of 60 MiB',
    server: { on: { LIST: tagged('NO', all(said('['), repeated('A', SIXTY_MIB), said('] no'))) } },
    steps: [{ method: 'mailbox.list', ends: ['IMAP_NO', 'CONNECTION_LOST', 'TOO_LARGE'], timeoutMs: 60_000 }],
  },
  {
    name: 'login-no-60-mib',
    about: 'a refused login with 60 MiB of text',
    server: { on: { AUTHENTICATE: tagged('NO [AUTHENTICATIONFAILED]', long) } },
    login: ['IMAP_AUTH_FAILED', 'UPSTREAM_UNAVAILABLE'],
    steps: [],
  },
  {
    name: 'password-authenticate',
    about: 'a refused AUTHENTICATE that quotes the password and what was sent',
    server: {
      on: { AUTHENTICATE: tagged('NO [AUTHENTICATIONFAILED]', said(`wrong: "${PASSWORD}" from ${inBase64}`)) },
    },
    login: ['IMAP_AUTH_FAILED'],
    loginError: saysNothing,
    steps: [],
    after: ({ log }) => assert.ok(!JSON.stringify(log).includes(inBase64), 'what was sent is in the log'),
  },
  {
    name: 'password-login',
    about: 'a refused LOGIN that quotes the password',
    server: {
      capabilities: 'IMAP4rev1 ID NAMESPACE IDLE UIDPLUS',
      on: { LOGIN: tagged('NO', said(`LOGIN mallory ${PASSWORD}: internal error, try again`)) },
    },
    login: ['UPSTREAM_UNAVAILABLE', 'IMAP_AUTH_FAILED'],
    loginError: saysNothing,
    steps: [],
  },
  {
    name: 'password-bye',
    about: 'a BYE at login that quotes the password',
    server: {
      on: {
        AUTHENTICATE: (_command, connection) => {
          connection.send(`* BYE ${PASSWORD} is not welcome`);
          connection.end();
        },
      },
    },
    login: ['UPSTREAM_UNAVAILABLE', 'IMAP_AUTH_FAILED', 'CONNECTION_LOST'],
    loginError: saysNothing,
    steps: [],
  },
];
