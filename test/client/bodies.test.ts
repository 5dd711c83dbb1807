import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlOf, textOf } from '../../src/client/index.js';
import { htmlToText } from '../../src/text/html-text.js';

const item = (type: string, content: string | null) => ({
  part: '1',
  type,
  content,
  truncated: false,
  charset: null,
  charsetProblem: false,
});
const plain = (content: string) => item('text/plain', content);
const html = (content: string) => item('text/html', content);
const image = item('image/png', null);

describe('a message in one piece', () => {
  const footer = html('<p>footer</p>');
  const message = { textBody: [plain('a < b\nc'), image, footer], htmlBody: [plain('a < b\nc'), image, footer] };

  it('is html in the order of its parts, plain text escaped', () => {
    expect(htmlOf(message)).toBe('<div style="white-space: pre-wrap">a &#60; b\nc</div>\n<p>footer</p>');
  });

  it('is text in the order of its parts, html reduced to its text', () => {
    expect(textOf(message)).toBe('a < b\nc\nfooter');
  });

  it('is what there is where one body was asked for', () => {
    expect(textOf({ textBody: null, htmlBody: [html('<b>x</b>')] })).toBe('x');
    expect(htmlOf({ textBody: [plain('x')], htmlBody: null })).toContain('x');
  });

  it('is the html where the text is blank', () => {
    expect(textOf({ textBody: [plain(' \n')], htmlBody: [html('<p>all of it')] })).toBe('all of it');
    expect(textOf({ textBody: [], htmlBody: [] })).toBe('');
  });
});

describe('html as text', () => {
  it.each([
    ['<h1>Hi &amp; you</h1><p>one\n two<br>three</p>four', 'Hi & you\n\none two\nthree\n\nfour'],
    ['<style>p { x }</style><script>alert("<p>")</script><title>t</title><p>a', 'a'],
    ['<ul><li>one<li>two</ul>', '- one\n- two'],
    ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>', 'a b\nc'],
    ['<pre>a\n  b</pre>c', 'a\n  b\n\nc'],
    ['a <b>b</b>c <a href="https://x.example/">link</a>', 'a bc link'],
    ['&euro;&#8364;&#x20ac;&unknown;', '€€€&unknown;'],
    ['<!-- x --><p title="a > b">c</p><![CDATA[d]]>', 'c'],
    ['<div><div><div>a</div></div><div>b', 'a\nb'],
    ['a<br><br><br><br><br>b', 'a\n\n\nb'],
    ['1 < 2 <', '1 < 2 <'],
    ['<p>a</p><constructor>b', 'a\n\nb'],
  ])('%j', (source, text) => {
    expect(htmlToText(source)).toBe(text);
  });

  it('costs what it is long, whatever it is', () => {
    const pieces = [
      '<div>',
      '<ul><li>',
      '<table><tr><td>',
      '</b>',
      '<a x="',
      '<!--',
      '<',
      '&',
      '&amp;',
      '<style></styl',
      '<p>a</p>',
      ' ',
      '<br>',
    ];
    for (const piece of pieces) {
      const began = performance.now();
      htmlToText(piece.repeat(500_000 / piece.length));
      // With a tree, or a stack of open elements, some of these took a minute.
      expect(performance.now() - began, piece).toBeLessThan(3000);
    }
  });

  it('takes whatever comes', () => {
    const piece = fc.oneof(
      fc.constantFrom('<', '>', '</', '<pre>', '<li', '&#', ';', '"', '<!', '<script>', 'a'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        htmlToText(parts.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
