import fc from 'fast-check';
import type { ImapFlow } from 'imapflow';
import imapflowParser from 'imapflow/lib/handler/imap-parser.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wireLimits } from '../../../src/imap/wire/limits.js';
import { readResponse } from '../../../src/imap/wire/parser.js';
import type { UntaggedResponse } from '../../../src/imap/wire/response.js';
import type { ImapAttribute } from '../../../src/imap/wire/tokens.js';
import { Dovecot } from '../../support/dovecot.js';
import { mailFixtures } from '../../support/mail-fixtures.js';

interface Line {
  payload: Buffer;
  literals: Buffer[];
}

const read = ({ payload, literals }: Line) =>
  readResponse([Buffer.concat([payload, Buffer.from('\r\n')])], literals) as UntaggedResponse;

/** What both parsers agree about; that imapflow tells sequence sets from atoms makes no difference here. */
function plain(attribute: ImapAttribute): unknown {
  if (attribute === null) return null;
  if (Array.isArray(attribute)) return attribute.map(plain);
  const { value, section, partial } = attribute;
  return { value, ...(section && { section: section.map(plain) }), ...(partial && { partial }) };
}

/** A response as it is read here; undefined where something is wrong with it. */
function ours(one: Line) {
  const { keyword, number, attributes, items, damaged, cut } = read(one);
  if (damaged || cut.length > 0) return undefined;
  const pairs = keyword === 'FETCH' ? [...items].map(([name, value]) => [name, plain(value)]) : undefined;
  return { keyword, number, pairs, attributes: attributes.map(plain) };
}

/** What imapflow makes of a line; `undefined` where it refuses it. */
async function theirs({ payload, literals }: Line) {
  interface Parsed {
    command: string;
    attributes?: ImapAttribute[];
  }
  const parsed = (await imapflowParser(payload, { literals }).catch(() => undefined)) as Parsed | undefined;
  if (!parsed) return undefined;
  const number = /^\d+$/.test(parsed.command) ? Number(parsed.command) : undefined;
  const [first, ...rest] = parsed.attributes ?? [];
  if (number === undefined) {
    return { keyword: parsed.command, number, pairs: undefined, attributes: (parsed.attributes ?? []).map(plain) };
  }
  const keyword = String((first as { value?: unknown } | undefined)?.value);
  return { keyword, number, pairs: pairsOf(rest[0] as ImapAttribute[]), attributes: [] as unknown[] };
}

/** Items with their values: of an item that comes twice the last value, at its first place. */
function pairsOf(list: ImapAttribute[]) {
  const items = new Map<string, unknown>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] as { value?: unknown; section?: { value?: unknown }[] } | null;
    const text = Array.isArray(name) ? '' : String(name?.value ?? '').toUpperCase();
    const [part] = (Array.isArray(name) ? undefined : name?.section) ?? [];
    const section = Array.isArray(part) ? '' : String(part?.value ?? '').toUpperCase();
    items.set(!Array.isArray(name) && name?.section ? `${text}[${section}]` : text, plain(list[at + 1] ?? null));
  }
  return [...items];
}

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
      expect(ours(one), one.payload.toString('latin1')).toBeDefined();
      expect(ours(one)).toEqual(await theirs(one));
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
    ['a cut line', '* 1 FETCH (UID 5', ['UID']],
    ['a cut string', '* 1 FETCH (UID 5 A "b)', ['UID']],
    ['a string that ends in a backslash', '* 1 FETCH (UID 5 A "b\\', ['UID']],
    ['a cut list', '* 1 FETCH (UID 5 A (b (c)', ['UID']],
    ['a cut section', '* 1 FETCH (UID 5 BODY[1', ['UID']],
    ['a literal without its octets', '* 1 FETCH (UID 5 A {3}\r\n)', ['UID']],
    ['no list', '* 1 FETCH 5', []],
    ['nothing', '* 1 FETCH', []],
    ['a uid behind what cannot be read', '* 1 FETCH (A (b UID 5 FLAGS ()', ['UID']],
    ['a number of more than 32 bits', '* 4294967296 FETCH (UID 5)', ['UID']],
    ['a number of 400 digits', `* ${'9'.repeat(400)} FETCH (UID 5)`, ['UID']],
  ])('is damaged with %s, and what was read before stands', (_, text, items) => {
    const response = read(line(text));
    expect(response).toMatchObject({ keyword: 'FETCH', damaged: true });
    expect([...response.items.keys()]).toEqual(items);
  });

  it.each([
    ['flags without a space', '* 1 FETCH (FLAGS (\\Seen\\Deleted) UID 5)'],
    ['a control character', '* 1 FETCH (A\tB C UID 5)'],
    ['two spaces', '* 1 FETCH  (UID  5)'],
    ['a bracket that closes nothing', '* 1 FETCH (FLAGS (]) UID 5)'],
    ['a brace that is no literal', '* 1 FETCH (A {b} UID 5)'],
    ['more behind its list', '* 1 FETCH (UID 5) (UID 6)'],
  ])('is read all the same with %s', (_, text) => {
    const response = read(line(text));
    expect(response.damaged).toBe(false);
    expect(response.items.get('UID')).toMatchObject({ value: '5' });
  });

  it.each([
    ['an escaped backslash at the end', '"a\\\\"', 'a\\'],
    ['escaped quotes alone', '"\\"\\""', '""'],
    ['an escape of what needs none', '"\\a\\ü"', 'aü'],
    ['very many escapes', `"${'\\"'.repeat(1_000_000)}"`, '"'.repeat(1_000_000)],
  ])('has quoted strings without their backslashes: %s', (_, text, value) => {
    const { items, damaged } = read(line(`* 1 FETCH (A ${text} UID 5)`));
    expect(damaged).toBe(false);
    expect(items.get('UID')).toMatchObject({ value: '5' });
    expect(items.get('A')).toEqual({ type: 'STRING', value });
  });

  it('keeps raw octets of a quoted string that are no UTF-8, for a charset to be guessed', () => {
    const payload = Buffer.from('* 1 FETCH (A "gr\xfc\xdfe" B "gr\xc3\xbc\xc3\x9fe")', 'latin1');
    const { items } = read({ payload, literals: [] });
    expect(items.get('A')).toMatchObject({ value: Buffer.from('gr\xfc\xdfe', 'latin1') });
    expect(items.get('B')).toMatchObject({ value: 'grüße' });
  });
});

describe('what is over the limits of a row', () => {
  const parts = (count: number) => '("A" "B")'.repeat(count);

  it('is cut, and the items beside it are whole', () => {
    const { items, cut, damaged } = read(
      line(`* 1 FETCH (UID 5 BODYSTRUCTURE (${parts(5000)} "MIXED") FLAGS (\\Seen))`),
    );
    expect([damaged, cut]).toEqual([false, ['BODYSTRUCTURE']]);
    expect(items.get('BODYSTRUCTURE')).toHaveLength(wireLimits.members);
    expect([...items.keys()]).toEqual(['UID', 'BODYSTRUCTURE', 'FLAGS']);
  });

  it.each([
    ['in many short lists', `(${`(${parts(500)})`.repeat(500)})`],
    ['in depth', `${'('.repeat(100_000)}${')'.repeat(100_000)}`],
    ['with brackets in strings', `(${'(")" "\\")" NIL)'.repeat(20_000)})`],
    ['with literals', `(${'({2}\r\n)'.repeat(2_000)})`],
  ])('is cut %s', (_, value) => {
    const literals = Array.from({ length: 2_000 }, () => Buffer.from('()'));
    const { items, cut, damaged } = readResponse(
      [Buffer.from(`* 1 FETCH (X ${value} UID 5)\r\n`)],
      value.includes('{') ? literals : [],
    ) as UntaggedResponse;
    expect([damaged, cut]).toEqual([false, ['X']]);
    expect(items.get('UID')).toMatchObject({ value: '5' });
  });

  it('is kept up to where the response was cut, but for addresses and parts that are not whole', () => {
    const one = '("Ann" NIL "ann" "example.com")';
    const begun = (text: string) => readResponse([Buffer.from(text)], [], true) as UntaggedResponse;
    const envelope = begun(`* 1 FETCH (UID 5 ENVELOPE (NIL "Hello" (${one}${one}("Bob" NIL "bob" "bank.exa`);
    expect([envelope.damaged, envelope.cut]).toEqual([true, ['ENVELOPE']]);
    const [, , from] = envelope.items.get('ENVELOPE') as ImapAttribute[];
    expect(from).toHaveLength(2);
    const part = '("TEXT" "HTML" NIL NIL NIL "7BIT" 10 1)';
    const structure = begun(`* 1 FETCH (UID 5 BODYSTRUCTURE ((${part}${part}"MIXED")(${part}${part}("TEXT" "PLA`);
    expect(structure.items.get('BODYSTRUCTURE')).toMatchObject([
      [{}, {}, {}],
      [{}, {}],
    ]);
    expect(begun('* 1 FETCH (UID 5 FLAGS (\\Seen \\Dele').items.get('FLAGS')).toMatchObject([{ value: '\\Seen' }]);
  });

  it('is too many items', () => {
    const response = read(line(`* 1 FETCH (UID 5 ${'A B '.repeat(200_000)})`));
    expect(response.damaged).toBe(true);
    expect(response.items.get('UID')).toMatchObject({ value: '5' });
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
    ['a cut string', '* LIST () "/" "a'],
    ['a cut list', '* STATUS a (MESSAGES 1'],
    ['a literal without its octets', '* LIST () "/" {3}\r\n'],
    ['very many tokens', `* LIST (${'a '.repeat(200_000)}) "/" a`],
  ])('is damaged with %s', (_, text) => {
    expect(read(line(text)).damaged).toBe(true);
  });

  it.each([
    ['a list that is closed twice', '* STATUS a (MESSAGES 1))', 'STATUS'],
    ['a wildcard', '* LIST () "/" 100%', 'LIST'],
    ['small letters', '* list () "/" a', 'LIST'],
  ])('is read all the same with %s', (_, text, keyword) => {
    expect(read(line(text))).toMatchObject({ keyword, damaged: false });
  });
});

describe('other responses', () => {
  it.each([
    ['* SEARCH 3 1 4294967295', [3, 1, 4294967295]],
    ['* SEARCH', []],
    ['* SORT 2 0 4294967296 5', [2, 5]],
    ['* SEARCH 1 2 (MODSEQ 917162500)', [1, 2]],
  ])('%s has numbers', (text, numbers) => {
    expect(read(line(text))).toMatchObject({ numbers, damaged: false });
  });

  it('with a status have a code, its arguments and a text', () => {
    const status = (text: string) => read(line(text)).status;
    expect(status('* OK [UIDVALIDITY 7] UIDs valid')).toMatchObject({ code: 'UIDVALIDITY', text: 'UIDs valid' });
    expect(status('* no [alert]')).toMatchObject({ code: 'ALERT', text: '' });
    expect(status('* BYE')).toMatchObject({ code: undefined, text: '' });
    expect(status('* OK [unclosed (a')).toMatchObject({ code: undefined, text: '[unclosed (a' });
    const flags = status('* OK [PERMANENTFLAGS (\\Seen \\*)] Limited');
    expect(flags?.codeArgs).toMatchObject([[{ value: '\\Seen' }, { value: '\\*' }]]);
  });

  it.each([
    ['opened brackets', '* X ', '['],
    ['opened brackets in a response code', '* OK [', '['],
    ['opened brackets in a list', '* 1 FETCH (X (', '['],
    ['sections within sections', '* 1 FETCH (X ', 'BODY['],
    ['braces', '* X ', '{1'],
    ['quotes', '* X ', '"'],
  ])('of a million %s are read in one pass', (_name, begin, mark) => {
    const { kind, keyword } = read(line(begin + mark.repeat(1_000_000)));
    expect(kind).toBe('untagged');
    expect(keyword).toMatch(/^(?:X|OK|FETCH)$/);
  });

  it('have a text for people that is short and has no controls', () => {
    const { status } = read(line(`* NO a\u0000b\u001b[2J${'x'.repeat(5000)}`));
    expect(status?.text).toMatch(/^a\uFFFDb\uFFFD\[2Jx+\.\.\.$/);
    expect(status?.text).toHaveLength(wireLimits.textBytes);
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

  it('are read as imapflow reads them', async () => {
    const seen = { fetch: 0, listed: 0 };
    await fc.assert(
      fc.asyncProperty(lines, async ({ text, octets }) => {
        const one = line(text, ...octets);
        const parsed = await theirs(one);
        // In a few places imapflow is stricter.
        if (!parsed) return;
        seen[parsed.keyword === 'FETCH' ? 'fetch' : 'listed'] += 1;
        expect(ours(one)).toEqual(parsed);
      }),
      { numRuns: 6000 },
    );
    expect(seen.fetch).toBeGreaterThan(1000);
    expect(seen.listed).toBeGreaterThan(300);
  });

  it('never make it fail or stall, whatever is wrong with them', () => {
    const damage = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string({ unit: 'binary', maxLength: 3 }));
    const marks = fc.constantFrom(...'()[]{}<>"\\~*% \t\r\n,:.0');
    fc.assert(
      fc.property(lines, damage, marks, ({ text, octets }, [place, length, put], mark) => {
        const at = place % (text.length + 1);
        for (const added of [put, mark]) {
          const response = read(line(text.slice(0, at) + added + text.slice(at + length), ...octets));
          expect(response.kind).toMatch(/^(?:untagged|tagged|continuation)$/);
        }
      }),
      { numRuns: 6000 },
    );
  });
});
