import fc from 'fast-check';
import type { ImapFlow } from 'imapflow';
import imapflowParser from 'imapflow/lib/handler/imap-parser.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseQuick } from '../../src/imap/response-parser.js';
import { Dovecot } from '../support/dovecot.js';
import { mailFixtures } from '../support/mail-fixtures.js';

interface Line {
  payload: Buffer;
  literals: Buffer[];
}

const ours = ({ payload, literals }: Line) => parseQuick(payload.toString(), literals);
/** What imapflow makes of a line; `undefined` where it refuses it. */
const theirs = ({ payload, literals }: Line) =>
  imapflowParser(payload, { literals }).catch((): undefined => undefined) as Promise<unknown>;

const line = (text: string, ...literals: string[]): Line => ({
  payload: Buffer.from(text),
  literals: literals.map((one) => Buffer.from(one)),
});

describe('lines of a real server', () => {
  let dovecot: Dovecot;
  const corpus: Line[] = [];

  beforeAll(async () => {
    dovecot = await Dovecot.start();
    const user = dovecot.user();
    await dovecot.deliver(
      user,
      'INBOX',
      Object.values(mailFixtures).map((fixture) => fixture.raw()),
      { flags: ['\\Seen', '$Forwarded', 'NonJunk'] },
    );
    const flow = await dovecot.client(user);
    await flow.mailboxOpen('INBOX');
    await capture(flow, corpus);
  });
  afterAll(() => dovecot.stop());

  it('are all read, into what imapflow makes of them', async () => {
    expect(corpus).toHaveLength(4 * Object.keys(mailFixtures).length);
    for (const one of corpus) {
      const parsed = ours(one);
      expect(parsed, one.payload.toString('latin1')).toBeDefined();
      expect(parsed).toEqual(await theirs(one));
    }
  });
});

async function capture(flow: ImapFlow, corpus: Line[]): Promise<void> {
  interface Inside {
    handleResponse(data: Line): Promise<boolean>;
    exec(command: string, attributes: unknown[]): Promise<{ next(): void }>;
  }
  const inside = flow as unknown as Inside;
  const handle = inside.handleResponse.bind(flow);
  inside.handleResponse = (data) => {
    if (/^\* \d+ FETCH/.test(data.payload.toString('latin1'))) corpus.push(data);
    return handle(data);
  };
  const items = [
    '(UID FLAGS ENVELOPE RFC822.SIZE INTERNALDATE MODSEQ)',
    '(UID BODYSTRUCTURE BODY)',
    '(UID BODY.PEEK[] BODY.PEEK[1.MIME] BODY.PEEK[2]<0.100>)',
    '(UID BODY.PEEK[HEADER.FIELDS (SUBJECT "X-Odd-Name")] BODY.PEEK[HEADER]<5.40> BODY.PEEK[1])',
  ];
  for (const item of items) {
    const { next } = await inside.exec('UID FETCH', [
      { type: 'SEQUENCE', value: '1:*' },
      { type: 'TEXT', value: item },
    ]);
    next();
  }
}

describe('a FETCH response', () => {
  it.each([
    ['an empty list', line('* 1 FETCH ()')],
    ['atoms and flags', line('* 12 FETCH (UID 5 FLAGS (\\Seen $MDNSent a,b x:y z[a] z] \\) "" NIL nil)')],
    ['large numbers', line('* 4294967295 FETCH (MODSEQ (18446744073709551615) X-GM-MSGID 1278455344230334865)')],
    ['quoted strings', line('* 1 FETCH (A "a \\"quoted\\" \\\\ word" B "\\"" C "naïve" D "")')],
    ['literals', line('* 1 FETCH (BODY[] {3}\r\n BODY[2]<0> {0}\r\n BINARY[1] ~{4}\r\n)', 'a)"', '', '\0\r\n(')],
    ['sections', line('* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT "X Y")]<1024> NIL BODY[1.2.MIME] "x")')],
    ['lists', line('* 1 FETCH (BODY (("a" NIL)("b" NIL) "mixed")(x)  )  ')],
    ['items without a space between', line('* 1 FETCH (BODY[]NIL BINARY.SIZE[1.2] 40)')],
    ['letters beyond ASCII', line('* 1 FETCH (UID 5 FLAGS (naïve ﬂag))')],
  ])('is read as imapflow reads it with %s', async (_, one) => {
    expect(ours(one)).toBeDefined();
    expect(ours(one)).toEqual(await theirs(one));
  });

  it.each([
    ['a cut line', line('* 1 FETCH (UID 5')],
    ['a cut string', line('* 1 FETCH (A "b)')],
    ['a string that ends in a backslash', line('* 1 FETCH (A "b\\')],
    ['more than one list', line('* 1 FETCH (UID 5) (UID 6)')],
    ['a set of numbers', line('* 1 FETCH (A 1:5 B 1,2)')],
    ['flags without a space', line('* 1 FETCH (FLAGS (\\Seen\\Deleted))')],
    ['a literal without its octets', line('* 1 FETCH (A {3}\r\n)')],
    ['a literal of another length', line('* 1 FETCH (A {3}\r\n)', 'abcd')],
    ['octets without a literal', line('* 1 FETCH (A NIL)', 'abc')],
    ['a literal with a leading zero', line('* 1 FETCH (A {03}\r\n)', 'abc')],
    ['a partial of two numbers', line('* 1 FETCH (BODY[]<0.5> NIL)')],
    ['a control character', line('* 1 FETCH (A\tB C)')],
    ['another response', line('* 1 EXISTS')],
    ['another tag', line('A1 FETCH (UID 5)')],
    ['two spaces', line('* 1  FETCH (UID 5)')],
    ['octets before it', line('\0* 1 FETCH (UID 5)')],
    ['deep lists', line(`* 1 FETCH (${'('.repeat(200)}${')'.repeat(200)})`)],
    ['very many tokens', line(`* 1 FETCH (${'A '.repeat(200_000)})`)],
  ])('is left to imapflow with %s', (_, one) => {
    expect(ours(one)).toBeUndefined();
  });
});

describe('a LIST or STATUS response', () => {
  it.each([
    ['attributes and a quoted name', line('* LIST (\\HasNoChildren \\Sent) "/" "Sent \\"Items\\""')],
    ['no hierarchy and a name that is an atom', line('* LIST () NIL Entw&APw-rfe')],
    ['a name in a literal', line('* LIST () "/" {3}\r\n', 'a b')],
    ['a name beyond ASCII', line('* LIST () "." Entwürfe')],
    ['a name with a bracket', line('* LIST () "." a]b')],
    ['more behind the name', line('* LIST (\\NonExistent) "/" x ("CHILDINFO" ("SUBSCRIBED"))')],
    ['counts', line('* STATUS "a b" (MESSAGES 2 UNSEEN 1 SIZE 18446744073709551615)')],
    ['a number as a name', line('* STATUS 12 ()')],
  ])('is read as imapflow reads it with %s', async (_, one) => {
    expect(ours(one)).toBeDefined();
    expect(ours(one)).toEqual(await theirs(one));
  });

  it.each([
    ['a cut string', line('* LIST () "/" "a')],
    ['a cut list', line('* STATUS a (MESSAGES 1')],
    ['a list that is closed twice', line('* STATUS a (MESSAGES 1))')],
    ['a wildcard', line('* LIST () "/" 100%')],
    ['a literal without its octets', line('* LIST () "/" {3}\r\n')],
    ['small letters', line('* list () "/" a')],
    ['another keyword', line('* LISTS () "/" a')],
  ])('is left to imapflow with %s', (_, one) => {
    expect(ours(one)).toBeUndefined();
  });
});

describe('generated lines', () => {
  const atoms = fc.stringMatching(/^[A-Za-z0-9!#$&'+./;<=>?@^_`|}~,:-]{1,12}$/);
  const token = fc.oneof(
    atoms.map((text) => ({ text, octets: [] as string[] })),
    fc.constantFrom('NIL', 'nil', '0', '18446744073709551615', '\\Seen', '\\').map((text) => ({ text, octets: [] })),
    fc.string({ unit: 'binary' }).map((value) => {
      const plain = value.replace(/[\r\n\0\ud800-\udfff]/g, '');
      return { text: `"${plain.replace(/["\\]/g, '\\$&')}"`, octets: [] };
    }),
    fc.tuple(fc.string(), fc.constantFrom('', '~')).map(([value, tilde]) => ({
      text: `${tilde}{${Buffer.byteLength(value)}}\r\n`,
      octets: [value],
    })),
    fc
      .tuple(
        fc.constantFrom('BODY', 'body', 'BODY.PEEK', 'BINARY', 'X'),
        fc.constantFrom('', '1', '1.2.MIME', 'HEADER', 'HEADER.FIELDS (A "b c")', 'TEXT '),
        fc.constantFrom('', '<0>', '<10>', '<01>', '<0.5>'),
      )
      .map(([name, section, partial]) => ({ text: `${name}[${section}]${partial}`, octets: [] })),
  );
  type Piece = { text: string; octets: string[] };
  const { list } = fc.letrec<{ list: Piece; item: Piece }>((tie) => ({
    item: fc.oneof({ depthSize: 'small', withCrossShrink: true }, token, tie('list')),
    list: fc.tuple(fc.array(tie('item'), { maxLength: 6 }), fc.constantFrom(' ', ' ', ' ', '')).map(([items, gap]) => ({
      text: `(${items.map(({ text }) => text).join(gap)})`,
      octets: items.flatMap(({ octets }) => octets),
    })),
  }));
  const lines = fc.oneof(
    fc.tuple(fc.nat(), list).map(([number, { text, octets }]) => ({ text: `* ${number} FETCH ${text}`, octets })),
    fc.tuple(fc.constantFrom('LIST', 'STATUS'), list).map(([keyword, { text, octets }]) => ({
      text: `* ${keyword} ${text.slice(1, -1)}`,
      octets,
    })),
  );

  it('are read as imapflow reads them, or not at all', async () => {
    const read = { fetch: 0, listed: 0 };
    await fc.assert(
      fc.asyncProperty(lines, async ({ text, octets }) => {
        const one = line(text, ...octets);
        const parsed = ours(one);
        if (!parsed) return;
        read[parsed.command === 'LIST' || parsed.command === 'STATUS' ? 'listed' : 'fetch'] += 1;
        expect(parsed).toEqual(await theirs(one));
      }),
      { numRuns: 6000 },
    );
    expect(read.fetch).toBeGreaterThan(1000);
    expect(read.listed).toBeGreaterThan(300);
  });

  it('are never read where imapflow refuses them', async () => {
    const damage = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string({ unit: 'binary', maxLength: 3 }));
    const marks = fc.constantFrom(...'()[]{}<>"\\~*% \t\r\n,:.0');
    await fc.assert(
      fc.asyncProperty(lines, damage, marks, async ({ text, octets }, [place, length, put], mark) => {
        const at = place % (text.length + 1);
        for (const added of [put, mark]) {
          const one = line(text.slice(0, at) + added + text.slice(at + length), ...octets);
          const parsed = ours(one);
          if (parsed) expect(parsed).toEqual(await theirs(one));
        }
      }),
      { numRuns: 6000 },
    );
  });
});
