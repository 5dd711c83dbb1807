import { describe, expect, it } from 'vitest';
import { contentIdsIn } from '../../../src/imap/mime/content-ids.js';

describe('content ids in html', () => {
  it.each([
    ['whole', '<img src="cid:image10">', ['image10'], ['image1', 'image']],
    ['percent-encoded', '<img src="cid:foo4%25foo1@bar.net">', ['foo4%foo1@bar.net'], []],
    ['percent-encoded in the header too', '<img src="cid:a%20b@x">', ['a%20b@x', 'a b@x'], []],
    ['with a percent sign alone', '<img src="cid:100%@x">', ['100%@x'], []],
    ['in capitals', "<IMG SRC='CID:Pic@x'>", ['Pic@x'], ['pic@x']],
    ['with entities', '<img src="cid:a&amp;b&#64;x&#x2e;y">', ['a&b@x.y'], []],
    ['without quotes', '<img src=cid:a@x width=1>', ['a@x'], []],
    [
      'in a style',
      '<td style="background: url(cid:a@x)"><td style="background:url(&quot;cid:b@x&quot;)">',
      ['a@x', 'b@x'],
      [],
    ],
    ['behind one that has no end', `<img src="cid:${'x'.repeat(2000)} <img src='cid:a@x'>`, ['a@x'], []],
    ['not in the text', '<p>acid:rain and placid:water', [], ['rain', 'water']],
  ])('%s', (_name, html, present, absent) => {
    const ids = contentIdsIn(html);
    for (const id of present) expect(ids).toContain(id);
    for (const id of absent) expect(ids).not.toContain(id);
  });

  it('are looked for in time that grows with the html alone', () => {
    const began = performance.now();
    for (const html of [
      '"cid:'.repeat(200_000),
      `"${' '.repeat(1_000_000)}`,
      '=cid:'.repeat(200_000),
      `(cid:${'&#65;'.repeat(20)}`.repeat(10_000),
    ])
      contentIdsIn(html);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
