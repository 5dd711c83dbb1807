import { octets } from './hostile-bytes.js';
import { isInSet } from './scripted-rows.js';

/** The value of a FETCH item of one message, as the server sends it. */
export type ItemValue = (uid: number, item: string) => string | Buffer;

const TEXT = 'Good morning,\r\nall is well.\r\n';
const HEADER = 'Subject: Good morning\r\nFrom: alice@example.com\r\n\r\n';
/** Octets of a command line that the server reads, as Dovecot and RFC 7162 section 4 have it. */
export const MOST_LINE_OCTETS = 8192;

/** What a well-behaved server answers for each item; other items are NIL. */
const usualItems: Record<string, ItemValue> = {
  UID: (uid) => String(uid),
  FLAGS: () => '(\\Seen)',
  MODSEQ: () => '(7)',
  'RFC822.SIZE': (uid) => String(1000 + uid),
  INTERNALDATE: () => '"06-May-2024 07:08:09 +0000"',
  ENVELOPE: (uid) => envelopeOf({ subject: `"Message ${uid}"` }),
  BODYSTRUCTURE: () => textPart('PLAIN', TEXT.length),
  PREVIEW: () => '"Good morning"',
};

/** An ENVELOPE (RFC 9051 section 7.5.2); members as they go on the wire. */
export function envelopeOf(members: { subject?: string; from?: string; cc?: string } = {}): string {
  const alice = '((NIL NIL "alice" "example.com"))';
  const { subject = '"Hello"', from = alice, cc = 'NIL' } = members;
  return `("Mon, 06 May 2024 07:08:09 +0000" ${subject} ${from} ${alice} ${alice} ${alice} ${cc} NIL NIL "<1@example.com>")`;
}

/** The BODYSTRUCTURE of a text of so many octets. */
export function textPart(subtype: string, size: number, parameters = '("CHARSET" "US-ASCII")'): string {
  return `("TEXT" "${subtype}" ${parameters} NIL NIL "7BIT" ${size} ${size && 2} NIL NIL NIL NIL)`;
}

/** The FETCH responses of a command on a folder with the uids 1 to `exists`; undefined where it cannot be read. */
export function fetchAnswer(
  args: string,
  exists: number,
  values: Record<string, ItemValue>,
  row?: (uid: number) => string | Buffer | undefined,
): Buffer[] | undefined {
  const [set, items] = words(args);
  if (set === undefined || items === undefined) return undefined;
  const names = items.startsWith('(') ? words(items.slice(1, -1)) : [items];
  const wanted = names.some((name) => name.toUpperCase() === 'UID') ? names : ['UID', ...names];
  const answers: Buffer[] = [];
  for (let uid = 1; uid <= exists; uid += 1) {
    if (!isInSet(set, uid, exists)) continue;
    const own = row?.(uid);
    answers.push(own === undefined ? fetchRow(uid, wanted, values) : toBuffer(own));
  }
  return answers;
}

function fetchRow(uid: number, names: readonly string[], values: Record<string, ItemValue>): Buffer {
  const pieces: Buffer[] = [octets(`* ${uid} FETCH (`)];
  for (const [index, name] of names.entries()) {
    const upper = name.toUpperCase().replace('.PEEK', '');
    // `BODY[1]<0.100>` is answered as `BODY[1]<0>`.
    const told = upper.replace(/<(\d+)\.\d+>$/, '<$1>');
    const value = (values[upper.replace(/<.*/, '')] ?? values[upper] ?? usualItems[upper] ?? section)(uid, upper);
    pieces.push(octets(`${index > 0 ? ' ' : ''}${told} `), toBuffer(value));
  }
  return Buffer.concat([...pieces, octets(')\r\n')]);
}

/** The octets of a section of BODY, in part where the item says so; NIL for whatever is no section. */
const section: ItemValue = (_uid, item) => {
  const [, name, start, length] = /^BODY\[(.*)\](?:<(\d+)\.(\d+)>)?$/.exec(item) ?? [];
  if (name === undefined) return 'NIL';
  const whole = /HEADER|MIME/.test(name) ? HEADER : name === '' ? HEADER + TEXT : TEXT;
  const text = start === undefined ? whole : whole.slice(Number(start), Number(start) + Number(length));
  return `{${text.length}}\r\n${text}`;
};

function toBuffer(value: string | Buffer): Buffer {
  return typeof value === 'string' ? octets(value) : value;
}

/** Splits at blanks that are in no parentheses and in no brackets. */
function words(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let word = '';
  for (const character of text) {
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (character === ' ' && depth === 0) {
      if (word) found.push(word);
      word = '';
    } else word += character;
  }
  return word ? [...found, word] : found;
}
