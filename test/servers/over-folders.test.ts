import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServedMail, serve, serverNames } from './mail-server.js';

/** Mail number `n` of a conversation, or of none. */
function mail(n: number, references: number[]): string {
  const ids = references.map((one) => `<${one}@over>`).join(' ');
  const lines = [
    `Subject: Number ${n}`,
    'From: Bo <bo@example.com>',
    `Date: Mon, 1 Jan 2024 00:0${n}:00 +0000`,
    `Message-ID: <${n}@over>`,
    ...(ids === '' ? [] : [`References: ${ids}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\nText of ${n}.\r\n`;
}

describe.each(serverNames)('over three folders of %s', (name) => {
  let served: ServedMail;
  beforeAll(async () => {
    served = await serve(name);
  });
  afterAll(() => served.stop());

  async function threeFolders() {
    const guest = await served.guest();
    const [work, home] = [guest.named('Work'), guest.named('Home')];
    await guest.make(work);
    await guest.make(home);
    const folders = ['INBOX', work, home];
    // The later a message is, the earlier it came.
    for (const n of [6, 5, 4, 3, 2, 1]) {
      const text = mail(n, n > 4 ? [] : [1, 2, 3].filter((one) => one < n));
      const date = `"0${7 - n}-Mar-2024 12:00:00 +0000"`;
      await guest.other(`APPEND "${folders[n % 3]}" ${date} {${text.length}}\r\n${text}`);
    }
    return { ...guest, work, home, folders };
  }

  it('a search is one list in one order, page by page, and leaves out a folder that LIST shows no more', async () => {
    const { ask, kindOf, folders, work, home, named } = await threeFolders();
    const pages: string[] = [];
    let cursor: string | undefined;
    do {
      const found = await ask('message.search', { mailboxes: folders, filter: { from: 'bo' }, limit: 4, cursor });
      expect(found).toMatchObject({ total: 6, searched: 3, incomplete: [] });
      pages.push(...found.messages.map(({ mailbox, envelope }) => `${mailbox} ${envelope?.subject}`));
      cursor = found.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const place = (n: number) => `${['INBOX', work, home][n % 3]} Number ${n}`;
    expect(pages).toEqual([1, 2, 3, 4, 5, 6].map(place));
    const sorted = {
      mailboxes: folders,
      sort: [{ by: 'subject' as const, descending: true }],
      filter: { subject: 'Number' },
    };
    const { messages } = await ask('message.search', sorted);
    expect(messages.map(({ envelope }) => envelope?.subject)).toEqual([6, 5, 4, 3, 2, 1].map((n) => `Number ${n}`));
    expect(await ask('message.search', { mailboxes: 'all' })).toMatchObject({ total: 6, incomplete: [] });
    const gone = { mailboxes: [...folders, named('Gone'), named('Nowhere')] };
    expect(await kindOf('message.search', gone)).toBe('NOT_FOUND');
  });

  it('a conversation is told by date', async () => {
    const { ask, folders, work, home } = await threeFolders();
    const { uidValidity, messages } = await ask('message.list', { mailbox: home });
    const uid = messages.find(({ envelope }) => envelope?.subject === 'Number 2')?.uid ?? 0;
    const told = await ask('message.thread', { mailbox: home, uidValidity, uid, mailboxes: folders });
    expect(told).toMatchObject({ more: false, incomplete: [] });
    expect(told.messages.map(({ mailbox, envelope }) => [mailbox, envelope?.subject])).toEqual([
      [work, 'Number 1'],
      [home, 'Number 2'],
      ['INBOX', 'Number 3'],
      [work, 'Number 4'],
    ]);
  });
});
