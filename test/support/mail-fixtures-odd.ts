import { lines } from './mail.js';
import { fixtures, withBody, withHeaders } from './mail-fixture.js';

export const oddFixtures = fixtures({
  /** No Date: the list shows the date of arrival, or none. */
  noDate: {
    raw: () => lines('From: a@example.com', 'Subject: Undated', '', 'Body'),
    expected: { subject: 'Undated', date: null, text: 'Body' },
  },

  /** A Date that is none. */
  nonsenseDate: {
    raw: () => lines('From: a@example.com', 'Subject: Some day', 'Date: the day before yesterday', '', 'Body'),
    expected: { subject: 'Some day', date: null, text: 'Body' },
  },

  /** A header and not one octet of body. */
  emptyBody: {
    raw: () => lines('From: a@example.com', 'Subject: Nothing to say', ''),
    expected: { subject: 'Nothing to say', text: '' },
  },

  /** A body and no header. */
  noHeader: {
    raw: () => lines('', 'Only a body'),
    expected: { subject: null, fromName: null, fromAddress: null, date: null, text: 'Only a body' },
  },

  /** Neither: nothing but the line between them. */
  emptyMessage: {
    raw: () => lines(''),
    expected: { subject: null, fromName: null, fromAddress: null, date: null, text: '' },
  },

  /** A subject of 100 KB in one line: shown whole or shortened, and the others in the list are shown as well. */
  longSubject: {
    raw: () => withHeaders('From: a@example.com', `Subject: ${'long '.repeat(20_000)}end`),
    expected: { subject: `${'long '.repeat(20_000)}end`, fromAddress: 'a@example.com' },
  },

  /** A header line of 100 KB that no method reads. */
  longHeader: {
    raw: () => withHeaders('From: a@example.com', `X-Junk: ${'x'.repeat(100_000)}`, 'Subject: Behind it'),
    expected: { subject: 'Behind it', fromAddress: 'a@example.com' },
  },

  /** A thousand recipients. */
  manyRecipients: {
    raw: () =>
      withHeaders(
        'From: a@example.com',
        `To: ${Array.from({ length: 1000 }, (_, i) => `Person ${i} <p${i}@example.com>`).join(',\r\n ')}`,
        'Subject: Everybody',
      ),
    expected: { subject: 'Everybody', fromAddress: 'a@example.com' },
  },

  /** Control characters in the text: passed on, for the reader to escape. */
  controlCharacters: {
    raw: () => withBody('text/plain; charset=utf-8', '8bit', 'a\x01b\x07c\x1bd'),
    expected: { text: 'a\x01b\x07c\x1bd' },
  },
});
