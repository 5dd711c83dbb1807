import { bodyOf, decodeName, type GmailMail, headerOf, isoDay } from './gmail-mail.js';
import { type Token, textOf } from './gmail-tokens.js';
import { isInSet } from './scripted-rows.js';

/** A message as a search sees it. */
export interface Seen {
  mail: GmailMail;
  uid: number;
  /** The highest uid of the folder. */
  last: number;
}

type Test = (seen: Seen) => boolean;

const flags: Record<string, string> = {
  SEEN: '\\Seen',
  FLAGGED: '\\Flagged',
  ANSWERED: '\\Answered',
  DRAFT: '\\Draft',
  DELETED: '\\Deleted',
};
const has = (text: string, word: string) => text.toLowerCase().includes(word.toLowerCase());
const day = (mail: GmailMail) => mail.date.toISOString().slice(0, 10);

/** Keys with one argument. */
const unary: Record<string, (word: string) => Test> = {
  UID:
    (set) =>
    ({ uid, last }) =>
      isInSet(set, uid, last),
  SUBJECT:
    (word) =>
    ({ mail }) =>
      has(headerOf(mail, 'Subject'), word),
  FROM:
    (word) =>
    ({ mail }) =>
      has(headerOf(mail, 'From'), word),
  TO:
    (word) =>
    ({ mail }) =>
      has(headerOf(mail, 'To'), word),
  TEXT:
    (word) =>
    ({ mail }) =>
      has(mail.raw, word),
  BODY:
    (word) =>
    ({ mail }) =>
      has(bodyOf(mail), word),
  KEYWORD:
    (word) =>
    ({ mail }) =>
      mail.flags.has(word),
  SINCE:
    (date) =>
    ({ mail }) =>
      day(mail) >= isoDay(date),
  BEFORE:
    (date) =>
    ({ mail }) =>
      day(mail) < isoDay(date),
  ON:
    (date) =>
    ({ mail }) =>
      day(mail) === isoDay(date),
  MODSEQ:
    (modseq) =>
    ({ mail }) =>
      mail.modseq >= Number(modseq),
  'X-GM-MSGID':
    (id) =>
    ({ mail }) =>
      String(mail.id) === id,
  'X-GM-THRID':
    (id) =>
    ({ mail }) =>
      String(mail.thread) === id,
  'X-GM-LABELS':
    (label) =>
    ({ mail }) =>
      [...mail.labels].some((one) => one.toLowerCase() === decodeName(label).toLowerCase()),
  'X-GM-RAW': (words) => raw(words),
};

/** Keys as a test: all of them must hold. Throws for a key that the server does not know. */
export function compileSearch(keys: readonly Token[]): Test {
  const tests: Test[] = [];
  let at = 0;
  const next = (): Token => {
    const token = keys[at];
    if (token === undefined) throw new Error('an argument is missing');
    at += 1;
    return token;
  };
  const one = (): Test => {
    const key = next();
    if (Array.isArray(key)) return compileSearch(key);
    const name = key.text.toUpperCase();
    if (name === 'ALL') return () => true;
    if (name === 'NOT') {
      const test = one();
      return (seen) => !test(seen);
    }
    if (name === 'OR') {
      const [left, right] = [one(), one()];
      return (seen) => left(seen) || right(seen);
    }
    if (name === 'HEADER') {
      const [header, word] = [textOf(next()), textOf(next())];
      return ({ mail }) => has(headerOf(mail, header), word);
    }
    const flag = flags[name] ?? flags[name.replace(/^UN/, '')];
    if (flag) return ({ mail }) => mail.flags.has(flag) === (flags[name] !== undefined);
    const test = unary[name];
    if (!test) throw new Error(`unknown key ${name}`);
    return test(textOf(next()));
  };
  while (at < keys.length) tests.push(one());
  return (seen) => tests.every((test) => test(seen));
}

/** A few of the words that Gmail's own search knows: `is:unread`, `label:Work`, `subject:x`; any other is looked for. */
function raw(words: string): Test {
  const tests = words.split(' ').map((word): Test => {
    const [, name = '', value = word] = /^(\w+):(.*)$/.exec(word) ?? [];
    if (name === 'is') return ({ mail }) => mail.flags.has('\\Seen') === (value === 'read');
    if (name === 'label') return ({ mail }) => mail.labels.has(value);
    if (name === 'subject') return ({ mail }) => has(headerOf(mail, 'Subject'), value);
    return ({ mail }) => has(mail.raw, value);
  });
  return (seen) => tests.every((test) => test(seen));
}
