import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfString, inFewBytes } from '../../src/view/string-bytes.js';

describe('JSON in few bytes', () => {
  it('says what it said before, and never takes more', () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('ß', 'Ā', 'Ж', '紙', '\ud83d', '🙂', '"'), fc.string()) });
    fc.assert(
      fc.property(fc.array(text), (values) => {
        const json = JSON.stringify(values);
        const few = inFewBytes(json);
        expect(JSON.parse(few)).toEqual(values);
        expect(bytesOfString(few)).toBeLessThanOrEqual(bytesOfString(json));
      }),
    );
  });

  it('takes one byte for a character where few are beyond Latin-1', () => {
    const json = JSON.stringify({ subject: 'Перевод', from: [{ name: 'Grün', address: 'someone@mail.example.com' }] });
    const few = inFewBytes(json);
    expect(few.length).toBeGreaterThan(json.length);
    expect(bytesOfString(few)).toBe(bytesOfString('x'.repeat(few.length)));
    expect(bytesOfString(few)).toBeLessThan(bytesOfString(json));
  });

  it('leaves a text as it is where most letters are', () => {
    const json = JSON.stringify('紙の見本が届きました');
    expect(inFewBytes(json)).toBe(json);
  });
});

describe('the bytes of a string', () => {
  it('are one for each character, two where any is beyond Latin-1, and its head', () => {
    expect(bytesOfString('')).toBe(16);
    expect(bytesOfString('x'.repeat(800))).toBe(816);
    expect(bytesOfString('ü'.repeat(800))).toBe(816);
    expect(bytesOfString(`${'x'.repeat(799)}ж`)).toBe(1616);
  });
});
