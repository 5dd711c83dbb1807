import type { HostileCase, Step } from '../case.js';
import { list } from './checks.js';

const HUGE = '9'.repeat(400);
const status: Step = { method: 'mailbox.status', params: { mailboxes: ['INBOX', 'Archive'] } };
const counts: Step = { method: 'mailbox.list', params: { counts: true } };
const facts: Step = { method: 'mailbox.list', params: { facts: true } };
const info: Step = { method: 'mailbox.info', params: { mailbox: 'INBOX' } };
const search: Step = { method: 'message.search', params: { mailbox: 'INBOX', criteria: {} } };
/** Opens a message of the folder that was listed before. */
const opened: Step = {
  method: 'message.get',
  params: (earlier) => ({ mailbox: 'INBOX', uidValidity: earlier[1]?.uidValidity, uids: [1, 2] }),
};
const appended: Step = {
  method: 'message.append',
  params: { mailbox: 'INBOX', data: 'U3ViamVjdDogYQ0KDQphDQo=' },
};

/** SELECT says one thing otherwise, or not at all. */
const selecting = (name: string, about: string, line: RegExp, other?: string): HostileCase => ({
  name,
  about,
  server: {
    select: (lines) => lines.flatMap((one) => (line.test(one) ? (other === undefined ? [] : [other]) : [one])),
  },
  steps: [list, opened, search],
});
const refused = (one: HostileCase): HostileCase => ({
  ...one,
  steps: [list, search].map((step): Step => ({ ...step, ends: ['IMAP_NO', 'CONNECTION_LOST'] })),
});
const uidValidity = (name: string, value: string) =>
  selecting(
    `uidvalidity-${name}`,
    `SELECT with UIDVALIDITY ${value}`,
    /UIDVALIDITY/,
    `* OK [UIDVALIDITY ${value}] Valid`,
  );
/** One FETCH item of the second message has a strange value. */
const item = (name: string, about: string, key: string, value: string): HostileCase => ({
  name,
  about,
  server: { offers: 'CONDSTORE', items: { [key]: (uid) => (uid === 2 ? value : usual(key, uid)) } },
  steps: [list, opened, search],
});
const usual = (key: string, uid: number) =>
  key === 'UID' || key === 'RFC822.SIZE' ? String(uid) : '"06-May-2024 07:08:09 +0000"';
/** STATUS says a strange number for each item. */
const statuses = (name: string, value: string): HostileCase => ({
  name: `status-${name}`,
  about: `STATUS whose numbers are ${value.slice(0, 20)}`,
  server: {
    offers: 'CONDSTORE APPENDLIMIT STATUS=SIZE',
    on: {
      STATUS: (command, connection) => {
        const [folder] = command.args.split(' ');
        const names = ['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', 'SIZE', 'HIGHESTMODSEQ', 'APPENDLIMIT'];
        const items = names.map((one) => `${one} ${value}`);
        connection.send(`* STATUS ${folder} (${items.join(' ')})`, `${command.tag} OK STATUS completed`);
      },
    },
  },
  steps: [status, counts, facts, info],
});

/** Numbers that are none, or that no program holds. */
export const numberCases: readonly HostileCase[] = [
  selecting('uidvalidity-missing', 'SELECT without UIDVALIDITY', /UIDVALIDITY/),
  uidValidity('0', '0'),
  uidValidity('nil', 'NIL'),
  uidValidity('negative', '-1'),
  uidValidity('20-digits', '99999999999999999999'),
  // Without a number of messages nothing true can be said of the folder.
  refused(selecting('exists-missing', 'SELECT without EXISTS', /EXISTS/)),
  refused(selecting('exists-negative', 'SELECT with * -5 EXISTS', /EXISTS/, '* -5 EXISTS')),
  refused(selecting('exists-400-digits', 'SELECT with EXISTS of 400 digits', /EXISTS/, `* ${HUGE} EXISTS`)),
  selecting('uidnext-400-digits', 'SELECT with UIDNEXT of 400 digits', /UIDNEXT/, `* OK [UIDNEXT ${HUGE}] Next`),
  selecting('uidnext-nil', 'SELECT with UIDNEXT NIL', /UIDNEXT/, '* OK [UIDNEXT NIL] Next'),
  selecting('modseq-nonsense', 'SELECT with HIGHESTMODSEQ -1', /HIGHESTMODSEQ/, '* OK [HIGHESTMODSEQ -1] High'),
  selecting(
    'modseq-400-digits',
    'SELECT with HIGHESTMODSEQ of 400 digits',
    /HIGHESTMODSEQ/,
    `* OK [HIGHESTMODSEQ ${HUGE}] High`,
  ),
  item('size-400-digits', 'RFC822.SIZE of 400 digits', 'RFC822.SIZE', HUGE),
  item('size-negative', 'RFC822.SIZE -1', 'RFC822.SIZE', '-1'),
  item('size-nil', 'RFC822.SIZE NIL', 'RFC822.SIZE', 'NIL'),
  item('uid-400-digits', 'UID of 400 digits', 'UID', HUGE),
  item('uid-zero', 'UID 0', 'UID', '0'),
  item('uid-negative', 'UID -2', 'UID', '-2'),
  item('date-nonsense', 'INTERNALDATE with the year 999999', 'INTERNALDATE', '"99-Zzz-999999 99:99:99 +9999"'),
  statuses('400-digits', HUGE),
  statuses('negative', '-1'),
  statuses('nil', 'NIL'),
  statuses('exponent', '1e400'),
  {
    name: 'quota-400-digits',
    about: 'QUOTA with 400 digits, negative and NIL',
    server: {
      offers: 'QUOTA',
      on: {
        GETQUOTAROOT: (command, connection) =>
          connection.send(
            '* QUOTAROOT INBOX "a"',
            `* QUOTA "a" (STORAGE ${HUGE} -5 MESSAGE NIL 1e400)`,
            `${command.tag} OK Quota`,
          ),
      },
    },
    steps: [{ method: 'quota.get' }],
  },
  {
    name: 'appenduid-400-digits',
    about: 'APPENDUID of 400 digits',
    server: { on: { APPEND: (command, connection) => connection.ok(command, `[APPENDUID ${HUGE} ${HUGE}] Stored`) } },
    steps: [appended],
  },
  {
    name: 'copyuid-400-digits',
    about: 'COPYUID of 400 digits and of words',
    server: {
      on: {
        'UID COPY': (command, connection) => connection.ok(command, `[COPYUID ${HUGE} 1,x ${HUGE},-1] Copied`),
      },
    },
    steps: [
      { method: 'message.copy', params: { mailbox: 'INBOX', uidValidity: 1, uids: [1, 2], destination: 'Archive' } },
    ],
  },
  {
    name: 'structure-numbers',
    about: 'BODYSTRUCTURE with sizes of 400 digits',
    server: {
      items: {
        BODYSTRUCTURE: () => `("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" ${HUGE} ${HUGE} NIL NIL NIL NIL)`,
      },
    },
    steps: [list, opened],
  },
  {
    name: 'search-numbers',
    about: 'SEARCH with 400 digits, zero, negative numbers and words',
    server: {
      on: {
        'UID SEARCH': (command, connection) =>
          connection.send(`* SEARCH 1 0 -3 ${HUGE} x 2 4294967296`, `${command.tag} OK Done`),
      },
    },
    steps: [search],
  },
];
