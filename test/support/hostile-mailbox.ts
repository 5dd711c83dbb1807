import { CHUNK_BYTES, type Octets, octets } from './hostile-bytes.js';

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

/** An ENVELOPE (RFC 9051 section 7.5.2); members as they go on the wire. Sender and Reply-To are those of From. */
export function envelopeOf(members: { subject?: string; from?: string; cc?: string } = {}): string {
  const alice = '((NIL NIL "alice" "example.com"))';
  const { subject = '"Hello"', from = alice, cc = 'NIL' } = members;
  return `("Mon, 06 May 2024 07:08:09 +0000" ${subject} ${from} ${from} ${from} ${alice} ${cc} NIL NIL "<1@example.com>")`;
}

/** The BODYSTRUCTURE of a text of so many octets. */
export function textPart(subtype: string, size: number, parameters = '("CHARSET" "US-ASCII")'): string {
  return `("TEXT" "${subtype}" ${parameters} NIL NIL "7BIT" ${size} ${size && 2} NIL NIL NIL NIL)`;
}

/** The uids of a set such as `1:3,7:*` that a folder with the uids 1 to `exists` has, ascending. */
export function uidsIn(set: string, exists: number): number[] {
  const place = (text: string) => (text === '*' ? exists : Number(text));
  const found = new Set<number>();
  for (const range of set.split(',')) {
    const [from = '', to = from] = range.split(':');
    const [low, high] = [place(from), place(to)].sort((a, b) => a - b) as [number, number];
    for (let uid = Math.max(1, low); uid <= Math.min(high, exists); uid += 1) found.add(uid);
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * The FETCH responses of a command on a folder with the uids 1 to `exists`, each made when it is its turn; undefined
 * where the command cannot be read.
 */
export function fetchAnswer(
  args: string,
  exists: number,
  values: Record<string, ItemValue>,
  row?: (uid: number) => string | Buffer | undefined,
): Octets | undefined {
  const [set, items] = words(args);
  if (set === undefined || items === undefined) return undefined;
  const names = items.startsWith('(') ? words(items.slice(1, -1)) : [items];
  const wanted = names.some((name) => name.toUpperCase() === 'UID') ? names : ['UID', ...names];
  return function* () {
    let small: Buffer[] = [];
    let bytes = 0;
    for (const uid of uidsIn(set, exists)) {
      const own = row?.(uid);
      const next = own === undefined ? fetchRow(uid, wanted, values) : toBuffer(own);
      small.push(next);
      bytes += next.length;
      if (bytes < CHUNK_BYTES) continue;
      yield Buffer.concat(small);
      small = [];
      bytes = 0;
    }
    if (small.length > 0) yield Buffer.concat(small);
  };
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
