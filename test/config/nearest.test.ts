import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestWord } from '../../src/config/nearest.js';

describe('the nearest known key', () => {
  const known = ['host', 'port', 'tls', 'ca_file', 'connect_timeout_seconds', 'login_timeout_seconds'];

  it.each([
    ['hots', 'host'],
    ['Port', 'port'],
    ['ca', 'ca_file'],
    ['connect_timeout', 'connect_timeout_seconds'],
    ['login_timeout_secs', 'login_timeout_seconds'],
    ['password', undefined],
  ])('for %s is %s', (word, expected) => {
    expect(nearestWord(word, known)).toBe(expected);
  });

  it('is at distance zero only from itself, and at the same distance both ways', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
