import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasAttachment, readable } from '../../../src/imap/mime/structure-readable.js';
import { html, image, multipart, part, plain, treeOf, type Written } from './tree.js';

/** Names of parts: of both bodies, and of what is attached with its role. */
function sorted(written: Written) {
  const { root, called } = treeOf(written);
  const { textBody, htmlBody, files } = readable(root);
  const roles: Record<string, string> = {};
  for (const { part, role } of files) roles[called(part)] = role;
  return {
    text: textBody.map(({ part }) => called(part)).join(' '),
    html: htmlBody.map(({ part }) => called(part)).join(' '),
    roles,
    clip: hasAttachment(root),
  };
}

const pdf = (called: string, more = {}) =>
  part('application/pdf', { called, disposition: 'attachment', fileName: 'a.pdf', ...more });
const inline = { disposition: 'inline' };

describe('bodies', () => {
  it('are those of the example of RFC 8621', () => {
    const message = multipart(
      'mixed',
      plain('A', inline),
      multipart(
        'mixed',
        multipart(
          'alternative',
          multipart('mixed', plain('B', inline), image('C', inline), plain('D', inline)),
          multipart('related', html('E'), image('F')),
        ),
        image('G', { disposition: 'attachment' }),
        part('application/x-excel', { called: 'H' }),
        part('message/rfc822', { called: 'J' }),
      ),
      plain('K', inline),
    );
    expect(sorted(message)).toEqual({
      text: 'A B C D K',
      html: 'A E K',
      roles: { C: 'inline', F: 'inline', G: 'attachment', H: 'attachment', J: 'attachment' },
      clip: true,
    });
  });

  it.each<[string, Written, string, string]>([
    ['a plain text', plain('A'), 'A', 'A'],
    ['html alone', html('A'), 'A', 'A'],
    ['a text with a file name alone', plain('A', { fileName: 'a.txt' }), 'A', 'A'],
    ['a text and html behind it', multipart('mixed', plain('A'), html('B')), 'A B', 'A B'],
    ['texts around a picture', multipart('mixed', plain('A'), image('I'), plain('B')), 'A I B', 'A I B'],
    ['alternatives', multipart('alternative', plain('A'), html('B')), 'A', 'B'],
    ['the last of several', multipart('alternative', plain('A'), html('B'), plain('C'), html('D')), 'C', 'D'],
    ['an empty last one', multipart('alternative', plain('A'), html('B'), plain('C', { size: 0 })), 'A', 'B'],
    ['a line end alone', multipart('alternative', plain('A'), html('B'), html('C', { size: 2 })), 'A', 'B'],
    ['an empty one of its kind', multipart('alternative', plain('A', { size: 0 }), html('B')), 'B', 'B'],
    ['only empty ones', multipart('alternative', plain('A', { size: 0 }), html('B', { size: 0 })), 'A', 'B'],
    ['one kind of alternative', multipart('alternative', plain('A')), 'A', 'A'],
    [
      'alternatives with file names',
      multipart('alternative', plain('A', { fileName: 'a.txt' }), html('B', { fileName: 'a.html' })),
      'A',
      'B',
    ],
    ['a first text with a file name', multipart('mixed', plain('A', { fileName: 'a.txt' }), pdf('P')), 'A', 'A'],
    ['a second text with a file name', multipart('mixed', plain('A'), plain('B', { fileName: 'b.txt' })), 'A', 'A'],
    ['an attached text', multipart('mixed', plain('A', { disposition: 'attachment' }), plain('B')), 'B', 'B'],
    ['a related html behind its picture', multipart('related', image('I', { contentId: 'i' }), html('A')), 'A', 'A'],
    [
      'what Apple Mail makes of files between html',
      multipart('alternative', plain('A'), multipart('mixed', html('B'), pdf('P', inline), html('C'))),
      'A',
      'B C',
    ],
    [
      'a signed message',
      multipart(
        'signed',
        multipart('alternative', plain('A'), html('B')),
        part('application/pgp-signature', { fileName: 'signature.asc' }),
      ),
      'A',
      'B',
    ],
    [
      'a footer of a mailing list',
      multipart('mixed', multipart('alternative', plain('A'), html('B')), plain('F')),
      'A F',
      'B F',
    ],
    ['a multipart of nothing', multipart('mixed'), '', ''],
  ])('of %s', (_name, message, text, rich) => {
    expect(sorted(message)).toMatchObject({ text, html: rich });
  });

  it('have each text in them, or attached, or as another form of what is in them', () => {
    const leaf = fc.oneof(
      fc
        .constantFrom('text/plain', 'text/html', 'image/png', 'application/pdf', 'text/calendar')
        .map((type) => part(type)),
      fc
        .record({ disposition: fc.constantFrom('inline', 'attachment'), fileName: fc.constantFrom('a', 'b') })
        .map((more) => plain('x', more)),
    );
    const { tree } = fc.letrec<{ tree: Written }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc
          .tuple(fc.constantFrom('mixed', 'related', 'signed', 'report'), fc.array(tie('tree'), { maxLength: 4 }))
          .map(([subtype, parts]) => multipart(subtype, ...parts)),
      ),
    }));
    fc.assert(
      fc.property(tree, (written) => {
        const { root } = treeOf(written);
        const { textBody, htmlBody, files } = readable(root);
        const all: string[] = [];
        const walk = (node: typeof root) => {
          if (!node.type.startsWith('multipart/')) all.push(node.part);
          for (const child of node.children) walk(child);
        };
        walk(root);
        const shown = new Set([...textBody, ...htmlBody, ...files].map(({ part }) => part));
        expect([...shown].sort()).toEqual([...all].sort());
        expect(new Set(files.map(({ part }) => part)).size).toBe(files.length);
      }),
    );
  });
});

describe('what is attached', () => {
  const newsletter = (...more: Written[]) =>
    multipart('mixed', multipart('related', html('A'), image('logo', { contentId: 'l', ...inline })), ...more);

  it.each<[string, Written, Record<string, string>, boolean]>([
    ['a file', multipart('mixed', plain('A'), pdf('P')), { P: 'attachment' }, true],
    ['a file that is to be shown inline', multipart('mixed', plain('A'), pdf('P', inline)), { P: 'attachment' }, true],
    [
      'a forwarded message',
      multipart('mixed', plain('A'), part('message/rfc822', { called: 'M' })),
      { M: 'attachment' },
      true,
    ],
    ['a message that is nothing but a file', pdf('P'), { P: 'attachment' }, true],
    ['a picture of the html', newsletter(), { logo: 'inline' }, false],
    ['a picture of the html beside a file', newsletter(pdf('P')), { logo: 'inline', P: 'attachment' }, true],
    [
      'a file within a related',
      multipart('related', html('A'), pdf('P', { contentId: 'p' })),
      { P: 'attachment' },
      true,
    ],
    [
      'a photograph between texts',
      multipart('mixed', plain('A'), image('I', { fileName: 'i.jpg' })),
      { I: 'attachment' },
      true,
    ],
    [
      'a photograph that is to be shown inline',
      multipart('mixed', plain('A'), image('I', { fileName: 'i.jpg', ...inline })),
      { I: 'inline' },
      true,
    ],
    ['a picture without a name between texts', multipart('mixed', plain('A'), image('I')), { I: 'inline' }, false],
    [
      'a signature of PGP',
      multipart('signed', plain('A'), part('application/pgp-signature', { called: 'S', fileName: 's.asc' })),
      { S: 'signature' },
      false,
    ],
    [
      'a signature of S/MIME',
      multipart('signed', plain('A'), part('application/pkcs7-signature', { called: 'S', disposition: 'attachment' })),
      { S: 'signature' },
      false,
    ],
    [
      'an invitation',
      multipart(
        'mixed',
        multipart('alternative', plain('A'), html('B'), part('text/calendar', { called: 'C', fileName: 'm.ics' })),
        part('application/ics', { called: 'F', disposition: 'attachment', fileName: 'm.ics' }),
      ),
      { C: 'calendar', F: 'attachment' },
      true,
    ],
    [
      'an invitation alone',
      multipart('alternative', plain('A'), part('text/calendar', { called: 'C' })),
      { C: 'calendar' },
      false,
    ],
    [
      'a calendar as a file',
      multipart('mixed', plain('A'), part('text/calendar', { called: 'C', disposition: 'attachment' })),
      { C: 'attachment' },
      true,
    ],
    [
      'AMP',
      multipart('alternative', plain('A'), part('text/x-amp-html', { called: 'X' }), html('B')),
      { X: 'alternative' },
      false,
    ],
    ['a file among alternatives', multipart('alternative', plain('A'), pdf('P')), { P: 'attachment' }, true],
    [
      'a message encrypted with PGP',
      multipart(
        'encrypted',
        part('application/pgp-encrypted', { called: 'V' }),
        part('application/octet-stream', { called: 'E', fileName: 'encrypted.asc', ...inline }),
      ),
      { V: 'encrypted', E: 'encrypted' },
      false,
    ],
    [
      'a message encrypted with S/MIME',
      part('application/pkcs7-mime', { called: 'E', disposition: 'attachment', fileName: 'smime.p7m' }),
      { E: 'encrypted' },
      false,
    ],
    [
      'a bounce',
      multipart(
        'report',
        plain('A'),
        part('message/delivery-status', { called: 'D' }),
        part('message/rfc822', { called: 'M' }),
      ),
      { D: 'report', M: 'report' },
      false,
    ],
  ])('%s', (_name, message, roles, clip) => {
    expect(sorted(message)).toMatchObject({ roles, clip });
  });
});
