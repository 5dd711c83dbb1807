import { describe, expect, it } from 'vitest';
import { parseHeaders } from '../../../src/imap/mime/raw-headers.js';

const block = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const utf8 = (text: string) => Buffer.from(text).toString('latin1');

describe('header lines', () => {
  it('are those with a name of printable ASCII', () => {
    const found = parseHeaders(
      block('From x@example.org Mon May  6 07:08:09 2024', '>From x: y', 'Subject : s', ': none', 'N\xe4me: n', 'X: '),
    );
    expect(found).toEqual([
      { name: 'Subject', value: 's' },
      { name: 'X', value: '' },
    ]);
  });

  it('keep the letters at their ends', () => {
    expect(parseHeaders(block(`A: ${utf8('voilà')}`, `B:\t${utf8('à la')} \t`))).toEqual([
      { name: 'A', value: 'voilà' },
      { name: 'B', value: 'à la' },
    ]);
  });

  it('are read in the charset of the message, where they are no UTF-8', () => {
    const header = block('Subject: \xc4\xe3\xba\xc3', `X: ${utf8('ä')}`, 'Content-Type: multipart/mixed; boundary=b');
    expect(parseHeaders(header, 'gbk').slice(0, 2)).toEqual([
      { name: 'Subject', value: '你好' },
      { name: 'X', value: 'ä' },
    ]);
    expect(parseHeaders(block('Subject: \xd1\xf7', 'Content-Type: text/plain; charset="koi8-r"'))[0]?.value).toBe('яВ');
  });
});
