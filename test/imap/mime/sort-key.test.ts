import { describe, expect, it } from 'vitest';
import { sortKey } from '../../../src/imap/mime/sort-key.js';
import { casemap } from '../../../src/imap/mime/threading/base-subject.js';
import { threadKey, toThreadMessage } from '../../../src/imap/mime/threading/thread-message.js';
import type { Address, Envelope } from '../../../src/protocol/models.js';

function envelope(more: Partial<Envelope>): Envelope {
  const nobody = { from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [] };
  return { date: null, subject: '', messageId: null, inReplyTo: null, ...nobody, ...more };
}

const summary = (more: Partial<Envelope>) => ({
  uid: 1,
  envelope: envelope(more),
  internalDate: '2024-01-01T00:00:00.000Z',
});

describe('what the broker sorts by', () => {
  it('is the date that is shown, else that of arrival', () => {
    const sent = '2024-05-06T05:08:09.000Z';
    expect(sortKey(summary({ date: sent }), 'date')).toBe(Date.parse(sent));
    expect(sortKey(summary({}), 'date')).toBe(Date.parse('2024-01-01T00:00:00.000Z'));
    expect(sortKey(summary({ date: sent }), 'arrival')).toBe(Date.parse('2024-01-01T00:00:00.000Z'));
  });

  it('is the subject without what replies add to it', () => {
    expect(sortKey(summary({ subject: 'Re: [list] Ünö (fwd)' }), 'subject')).toBe(
      sortKey(summary({ subject: 'ünö' }), 'subject'),
    );
    // Each takes quadratic time where it is looked at as a whole.
    for (const subject of ['[a]'.repeat(100_000), `a${'\u00a0'.repeat(200_000)}b`, '[fwd:'.repeat(50_000)]) {
      sortKey(summary({ subject }), 'subject');
    }
  });

  it('is the subject with one blank for all white space, whichever that is', () => {
    expect(sortKey(summary({ subject: 'a\u00a0 \u3000b\u00a0' }), 'subject')).toBe('A B');
    const began = performance.now();
    for (let count = 0; count < 5000; count += 1) sortKey(summary({ subject: `${'\u00a0'.repeat(990)}b` }), 'subject');
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each<[string, Address, string]>([
    ['the mailbox', { name: 'Zoe', address: 'anna@z.example' }, 'ANNA'],
    ['a quoted mailbox', { name: '', address: '"b \\"c\\"@d"@z.example' }, 'B "C"@D'],
    ['a user of the same machine', { name: 'Cron', address: 'root' }, 'ROOT'],
    ['the name of a group', { name: 'Team', address: '' }, 'TEAM'],
  ])('is %s of the first address', (_name, first, key) => {
    expect(sortKey(summary({ from: [first, { name: '', address: 'x@y' }] }), 'from')).toBe(key);
    expect(sortKey(summary({ cc: [first] }), 'cc')).toBe(key);
  });
});

describe('what the broker threads by', () => {
  it('is what is shown, and the references', () => {
    const more = {
      subject: 'Grüße',
      date: '2024-05-06T05:08:09.000Z',
      messageId: '<c@x>',
      inReplyTo: 'yours <b@x> <z@x>',
    };
    const block = Buffer.from('References: <a@x>\r\n <b@x>\r\n\r\n');
    expect(toThreadMessage(summary(more), block)).toEqual({
      uid: 1,
      id: threadKey('<c@x>'),
      references: ['<a@x>', '<b@x>'].map(threadKey),
      subject: threadKey(casemap('Grüße')),
      isReply: false,
      date: Date.parse(more.date),
    });
    expect(toThreadMessage(summary(more), Buffer.alloc(0)).references).toEqual([threadKey('<b@x>')]);
  });

  it('is the first reference and the last ones, where a message names more than any thread has', () => {
    const references = (count: number) => {
      const ids = Array.from({ length: count }, (_, index) => `<${index}@x>`);
      return toThreadMessage(summary({}), Buffer.from(`References: ${ids.join(' ')}\r\n\r\n`)).references;
    };
    expect(references(100)).toHaveLength(100);
    const ends = ['<0@x>', ...Array.from({ length: 99 }, (_, index) => `<${index + 401}@x>`)];
    expect(references(500)).toEqual(ends.map(threadKey));
    expect(references(100_000)).toHaveLength(100);
  });
});
