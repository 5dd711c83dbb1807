import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address, Envelope } from '../../src/protocol/models.js';
import { shortEnvelope, wholeEnvelope } from '../../src/view/envelope-text.js';

const ANNA: Address[] = [{ name: 'Anna "A." Lindqvist', address: 'anna@mail.example.com' }];
const OTHER: Address[] = [{ name: '', address: 'list@mail.example.com' }];

function envelopeOf(subject: string, from: Address[], sender: Address[], replyTo: Address[]): Envelope {
  return { date: null, subject, messageId: null, inReplyTo: null, from, sender, replyTo, to: [], cc: [], bcc: [] };
}

describe('a shortened envelope', () => {
  it('is the same again when it is made whole, whatever it says', () => {
    const odd = fc.constantFrom(
      '"from":[]',
      '],"sender":0,',
      '"replyTo":0,',
      '$&',
      "$'",
      '\\',
      '"',
      'Ж',
      '\ud83d',
      'x',
    );
    const text = fc.string({ unit: odd, maxLength: 4 });
    const addresses = fc.array(fc.record({ name: text, address: text }), { maxLength: 2 });
    const kinds = fc.constantFrom('from', 'sender', 'replyTo');
    fc.assert(
      fc.property(text, addresses, addresses, fc.tuple(kinds, kinds), (subject, some, others, [sender, replyTo]) => {
        const pick = (kind: string) => (kind === 'from' ? some : others);
        const envelope = envelopeOf(subject, some, pick(sender), pick(replyTo));
        const short = shortEnvelope(envelope);
        expect(wholeEnvelope(short)).toBe(JSON.stringify(envelope));
      }),
    );
  });

  it.each([
    ['sender and Reply-To', ANNA, ANNA, 2],
    ['the sender alone', ANNA, OTHER, 1],
    ['neither', OTHER, ANNA, 0],
  ])('says the addresses once that repeat `from`: %s', (_which, sender, replyTo, saved) => {
    const envelope = envelopeOf('Hello', ANNA, sender, replyTo);
    const short = shortEnvelope(envelope);
    expect(JSON.stringify(envelope).length - short.length).toBe(saved * (JSON.stringify(ANNA).length - 1));
  });
});
