import fc from 'fast-check';

/** Untagged responses of a server (RFC 9051 section 7) as octets in latin1, right ones and wrong ones. */

const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 12 }).map(String) },
  { weight: 1, arbitrary: fc.nat({ max: 4_294_967_295 }).map(String) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '0',
      '-1',
      '4294967295',
      '4294967296',
      '9'.repeat(20),
      '9'.repeat(400),
      'NIL',
      '1e400',
      '',
    ),
  },
);
const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.array(octet, { maxLength: 20 }).map((octets) => octets.join('')) },
  { weight: 1, arbitrary: fc.constantFrom('=?utf-8?Q?Gr=C3=BC?=', '=?x?B?!!?=', '\r', '\n', '\0', 'a\rb', '\\', '"') },
);
const quoted = text.map((inner) => `"${inner.replace(/["\\]/g, '\\$&').replace(/[\r\n\0]/g, ' ')}"`);
const wrongQuoted = text.map((inner) => `"${inner}"`);
const literal = text.map((inner) => `{${inner.length}}\r\n${inner}`);
/** Of another length than it says, or of one that is none. */
const wrongLiteral = fc
  .tuple(text, fc.constantFrom('0', '1', '7', '99', '4294967296', '-1', 'x', '9'.repeat(30), '3+'))
  .map(([inner, length]) => `{${length}}\r\n${inner}`);
const string = fc.oneof(
  { weight: 6, arbitrary: quoted },
  { weight: 2, arbitrary: literal },
  { weight: 2, arbitrary: fc.constant('NIL') },
  { weight: 1, arbitrary: wrongQuoted },
  { weight: 1, arbitrary: wrongLiteral },
);
const atom = fc.constantFrom(
  'INBOX',
  'Archive',
  'A&-B',
  '&AOQ-',
  '&&&',
  'a/b',
  'NIL',
  '\\Seen',
  '\\*',
  '$x',
  ']',
  '%',
  '{',
);
const flag = fc.constantFrom(
  '\\Seen',
  '\\Flagged',
  '\\Recent',
  '\\*',
  '$Forwarded',
  'NonJunk',
  '\\',
  '"x"',
  'NIL',
  '()',
);
const flags = fc.array(flag, { maxLength: 5 }).map(inParentheses);
const set = fc
  .array(
    fc.oneof(
      number,
      fc.tuple(number, number).map(([from, to]) => `${from}:${to}`),
      fc.constant('*'),
    ),
    { maxLength: 5 },
  )
  .map((ranges) => ranges.join(','));
const address = fc.tuple(string, string, string, string).map(inParentheses);
const addresses = fc.oneof(
  fc.constant('NIL'),
  fc.array(address, { maxLength: 3 }).map((all) => `(${all.join('')})`),
);
const envelope = fc
  .tuple(string, string, addresses, addresses, addresses, addresses, addresses, addresses, string, string)
  .map(inParentheses);
const parameters = fc.oneof(
  fc.constant('NIL'),
  fc
    .array(fc.tuple(fc.oneof(string, fc.constantFrom('"name*0*"', '"name*1"', '"charset"')), string), { maxLength: 3 })
    .map((pairs) => inParentheses(pairs.flat())),
);
const { structure } = fc.letrec<{ structure: string; leaf: string; branch: string }>((tie) => ({
  structure: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('branch')),
  leaf: fc
    .tuple(fc.oneof(string, fc.constant('"TEXT"')), string, parameters, string, string, string, number, number)
    .map(inParentheses),
  branch: fc
    .tuple(fc.array(tie('structure'), { maxLength: 4 }), string, parameters)
    .map(([parts, subtype, given]) => `(${parts.join('')} ${subtype} ${given} NIL NIL NIL)`),
}));

const ids = fc.oneof(
  string,
  string.map((value) => `(${value})`),
);
const section = fc.constantFrom('', '1.MIME', 'TEXT', 'HEADER', '1.HEADER', '2.1', 'HEADER.FIELDS (SUBJECT LIST-ID)');
const item = fc.oneof(
  number.map((uid) => `UID ${uid}`),
  flags.map((all) => `FLAGS ${all}`),
  number.map((size) => `RFC822.SIZE ${size}`),
  string.map((date) => `INTERNALDATE ${date}`),
  envelope.map((value) => `ENVELOPE ${value}`),
  structure.map((value) => `BODYSTRUCTURE ${value}`),
  string.map((value) => `BODY[1] ${value}`),
  string.map((value) => `BODY[HEADER]<0> ${value}`),
  string.map((value) => `BODY[HEADER.FIELDS (REFERENCES)] ${value}`),
  number.map((value) => `MODSEQ (${value})`),
  string.map((value) => `PREVIEW ${value}`),
  ids.map((value) => `EMAILID ${value}`),
  ids.map((value) => `THREADID ${value}`),
  fc.array(fc.oneof(string, flag), { maxLength: 3 }).map((all) => `X-GM-LABELS ${inParentheses(all)}`),
  fc.tuple(section, string).map(([name, value]) => `BODY[${name}]<0> ${value}`),
  fc.tuple(number, string).map(([size, value]) => `BINARY.SIZE[1] ${size} BINARY[1]<3> ${value}`),
);
const pairs = (names: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...names), number), { maxLength: 6 }).map((all) => inParentheses(all.flat()));
const { threads } = fc.letrec<{ threads: string; thread: string }>((tie) => ({
  threads: fc.array(tie('thread'), { maxLength: 3 }).map((all) => all.join('')),
  thread: fc
    .tuple(fc.array(number, { maxLength: 3 }), fc.oneof({ depthSize: 'small' }, fc.constant(''), tie('threads')))
    .map(([uids, replies]) => `(${uids.join(' ')}${replies})`),
}));
const code = fc.oneof(
  fc.constantFrom(
    'ALERT',
    'PARSE',
    'READ-ONLY',
    'TRYCREATE',
    'CLOSED',
    'NONEXISTENT',
    'EXPUNGEISSUED',
    'LIMIT',
    'X',
    '',
  ),
  number.map((value) => `UIDVALIDITY ${value}`),
  number.map((value) => `UIDNEXT ${value}`),
  number.map((value) => `HIGHESTMODSEQ ${value}`),
  flags.map((value) => `PERMANENTFLAGS ${value}`),
  fc.tuple(number, set).map(([validity, uids]) => `APPENDUID ${validity} ${uids}`),
  fc.tuple(number, set, set).map(([validity, from, to]) => `COPYUID ${validity} ${from} ${to}`),
  fc
    .array(fc.constantFrom('IMAP4rev1', 'IDLE', 'QRESYNC', 'SORT', 'COMPRESS=DEFLATE', ''), { maxLength: 4 })
    .map((names) => `CAPABILITY ${names.join(' ')}`),
);
/** `OK [CODE] text`, also for tagged answers. */
export const condition: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('OK', 'NO', 'BAD', 'OK', 'PREAUTH', 'ok', 'OKAY', ''), fc.option(code), text)
  .map(([status, inBrackets, words]) => `${status} ${inBrackets === null ? '' : `[${inBrackets}] `}${words}`);

const response = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(number, fc.array(item, { maxLength: 6 }))
      .map(([seq, items]) => `${seq} FETCH ${inParentheses(items)}`),
  },
  fc.tuple(flags, string, fc.oneof(string, atom)).map(([of, delimiter, name]) => `LIST ${of} ${delimiter} ${name}`),
  fc.tuple(flags, string, atom).map(([of, delimiter, name]) => `LSUB ${of} ${delimiter} ${name}`),
  fc
    .tuple(fc.oneof(string, atom), pairs(['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', 'SIZE', 'HIGHESTMODSEQ']))
    .map(([name, counts]) => `STATUS ${name} ${counts}`),
  fc.array(number, { maxLength: 8 }).map((uids) => `SEARCH ${uids.join(' ')}`),
  fc.array(number, { maxLength: 8 }).map((uids) => `SORT ${uids.join(' ')}`),
  threads.map((all) => `THREAD ${all}`),
  fc
    .tuple(string, fc.constantFrom('UID ', ''), set, number)
    .map(([tag, uid, all, count]) => `ESEARCH (TAG ${tag}) ${uid}COUNT ${count} ALL ${all}`),
  fc.tuple(fc.constantFrom('(EARLIER) ', ''), set).map(([earlier, uids]) => `VANISHED ${earlier}${uids}`),
  fc.tuple(number, fc.constantFrom('EXPUNGE', 'EXISTS', 'RECENT')).map(([count, what]) => `${count} ${what}`),
  flags.map((all) => `FLAGS ${all}`),
  fc.array(atom, { maxLength: 6 }).map((names) => `CAPABILITY ${names.join(' ')}`),
  fc.array(parameters, { maxLength: 4 }).map((spaces) => `NAMESPACE ${spaces.join(' ')}`),
  fc.tuple(string, pairs(['STORAGE 1', 'MESSAGE 2', 'X'])).map(([root, limits]) => `QUOTA ${root} ${limits}`),
  fc.tuple(atom, string).map(([name, root]) => `QUOTAROOT ${name} ${root}`),
  fc.tuple(atom, string, string).map(([name, who, rights]) => `ACL ${name} ${who} ${rights}`),
  fc.tuple(atom, string).map(([name, rights]) => `MYRIGHTS ${name} ${rights}`),
  fc.tuple(atom, string).map(([name, value]) => `METADATA ${name} (/shared/comment ${value})`),
  fc.array(atom, { maxLength: 3 }).map((names) => `ENABLED ${names.join(' ')}`),
  condition,
);

/** Something that happens to octets: at a place between 0 and 1 of them. */
const mutation = fc.tuple(
  fc.constantFrom('keep', 'keep', 'keep', 'cut', 'double', 'drop', 'insert', 'replace', 'many'),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.oneof(
    fc.constantFrom('(', ')', '"', '{', '}', '[', ']', '\r', '\n', '\0', '\\', '*', ' ', '{9}\r\n', '\xff'),
    octet,
  ),
);
function mutate([whole, [how, where, extra]]: [string, [string, number, string]]): string {
  const at = Math.floor(whole.length * where);
  const [left, right] = [whole.slice(0, at), whole.slice(at)];
  if (how === 'cut') return `${left}\r\n`;
  if (how === 'double') return left + right.slice(0, 40) + right;
  if (how === 'drop') return left + right.slice(3);
  if (how === 'insert') return left + extra + right;
  if (how === 'replace') return left + extra + right.slice(1);
  return how === 'many' ? left + extra.repeat(2000) + right : whole;
}

/** What a server may send at any time, with its line end, if that was not lost. */
export const untagged: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(
        fc
          .tuple(fc.constantFrom('* ', '* ', '* ', '*', '+ ', ''), response)
          .map(([mark, words]) => `${mark}${words}\r\n`),
        mutation,
      )
      .map(mutate),
  },
  { weight: 1, arbitrary: fc.array(octet, { maxLength: 60 }).map((octets) => octets.join('')) },
);

function inParentheses(values: readonly string[]): string {
  return `(${values.join(' ')})`;
}
