import { afterAll, describe, expect, it } from 'vitest';
import type { Field } from '../../../src/protocol/rows.js';
import { Dovecot, type DovecotOptions, newUser } from '../../support/dovecot.js';
import { lines, message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

const NO_PREVIEW = 'IMAP4rev1 SASL-IR ENABLE IDLE SORT UIDPLUS ESEARCH LIST-STATUS MOVE NAMESPACE LITERAL+ CONDSTORE';

const servers: Record<string, DovecotOptions> = {
  full: {},
  'CONDSTORE only, without PREVIEW': { imapCapability: NO_PREVIEW },
  bare: { imapCapability: 'IMAP4rev1 IDLE' },
};

const newsletter = message({
  subject: 'News',
  headers: {
    'List-Id': '=?utf-8?q?Gr=C3=BC=C3=9Fe?= <news.example.com>',
    Received: 'from a',
    received: 'from b',
    'X-Priority': '1',
  },
  references: ['<1@example.com>', '<2@example.com>'],
  html: '<style>p{}</style><p>What is <b>new</b>&nbsp;today</p>',
});
const report = message({
  subject: 'Report',
  text: 'Here is the report.\n\nOn Mon, 3 Jun 2024, Anna wrote:\n> Where is it?',
  attachments: [{ filename: 'report.pdf', contentType: 'application/pdf', content: 'PDF' }],
});
const both = message({ text: 'As plain text', html: '<p>As html</p>' });
const nothing = message({ text: '' });
const picture = lines('Subject: a picture', 'MIME-Version: 1.0', 'Content-Type: image/png', '', 'x');
const latin = lines(
  'Subject: bytes',
  Buffer.from('X-Note: Gr\xfc\xdfe', 'latin1'),
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: 8bit',
  '',
  Buffer.from('Gr\xfc\xdfe', 'latin1'),
);
const mails = [newsletter, report, both, nothing, picture, latin];

const started: ServedMail[] = [];
afterAll(async () => {
  for (const mail of started) await mail.stop();
});

describe.each(Object.entries(servers))('rows of a server that is %s', (name, options) => {
  let mail: ServedMail;
  async function visitor(delivered: readonly Buffer[] = mails) {
    if (!mail) {
      mail = await serveMail(await Dovecot.start(options));
      started.push(mail);
    }
    const user = newUser('rows');
    await mail.dovecot.deliver(user, 'INBOX', [...delivered]);
    const session = await mail.client.login(user);
    const ask = (fields: Field[], more: object = {}) =>
      mail.client.call('message.list', { session, mailbox: 'INBOX', fields, explain: true, ...more });
    const rows = async (fields: Field[]) => (await ask(fields)).messages.reverse();
    return { session, ask, rows };
  }

  it('have the previews of all that can be read, with their source', async () => {
    const { rows } = await visitor();
    const found = await rows(['preview']);
    expect(found.map(({ preview }) => preview?.replace(/\s+/g, ' ') ?? null)).toEqual([
      'What is new today',
      expect.stringMatching(/^Here is the report\.(?: On Mon.*)?$/),
      expect.stringMatching(/^As (?:plain text|html)$/),
      null,
      null,
      'Grüße',
    ]);
    const source = name === 'full' ? 'server' : 'broker';
    expect(found.map(({ previewSource }) => previewSource)).toEqual([source, source, source, null, null, source]);
    expect(await rows(['preview'])).toEqual(found);
  });

  it('have attachments and structure as message.get has them', async () => {
    const { session, ask } = await visitor();
    const { messages, uidValidity } = await ask(['attachments', 'structure', 'hasAttachment']);
    const uids = messages.map(({ uid }) => uid);
    const opened = await mail.client.call('message.get', { session, mailbox: 'INBOX', uidValidity, uids });
    for (const row of messages) {
      const message = opened.messages.find(({ uid }) => uid === row.uid);
      expect(row.structure).toEqual(message?.structure);
      expect(row.attachments).toEqual(message?.attachments);
    }
    expect(messages.filter(({ hasAttachment }) => hasAttachment).map(({ uid }) => uid)).toEqual([2]);
  });

  it('have the header lines that are asked for, decoded, in the order of the request', async () => {
    const { rows } = await visitor();
    const [first, second, ...others] = await rows([{ headers: ['references', 'List-ID', 'RECEIVED', 'X-Note'] }]);
    expect(first?.headers?.filter(({ name }) => name !== 'RECEIVED')).toEqual([
      { name: 'references', value: '<1@example.com> <2@example.com>' },
      { name: 'List-ID', value: 'Grüße <news.example.com>' },
    ]);
    const received = first?.headers?.flatMap(({ name, value }) => (name === 'RECEIVED' ? [value] : []));
    expect(received?.slice(-2)).toEqual(['from a', 'from b']);
    expect(second?.headers?.filter(({ name }) => name !== 'RECEIVED')).toEqual([]);
    expect(others.at(-1)?.headers).toContainEqual({ name: 'X-Note', value: 'Grüße' });
  });

  it('are asked only for the header lines that are not known yet', async () => {
    const { ask, rows } = await visitor();
    await rows([{ headers: ['List-Id', 'X-Priority'] }]);
    const again = await ask([{ headers: ['x-priority', 'list-id'] }]);
    expect(again.explain?.commands).toEqual(['NOOP']);
    expect(again.meta.source).toBe('validated');
    const more = await ask([{ headers: ['X-Priority', 'References'] }, 'size']);
    expect(more.explain?.commands.at(-1)).toBe('UID FETCH');
    expect(more.messages.at(-1)?.headers).toEqual([
      { name: 'X-Priority', value: '1' },
      { name: 'References', value: '<1@example.com> <2@example.com>' },
    ]);
  });

  it('have no ids and labels where the server has none', async () => {
    const { ask } = await visitor([both]);
    const fields: Field[] = ['emailId', 'threadId', 'labels', 'size'];
    const { messages } = await ask(fields);
    expect(messages).toMatchObject([{ uid: 1, emailId: null, threadId: null, labels: null }]);
    const again = await ask(fields);
    expect([again.meta.source, again.messages]).toEqual(['validated', messages]);
    expect((await ask(fields, { ifState: again.state })) as object).toMatchObject({ unchanged: true });
    expect((await ask(fields, { maxAgeMs: 60_000 })).meta.source).toBe('cache');
  });

  it('of a first page of 50 with previews cost three round trips at most beyond the SELECT, of a next page none', async () => {
    const { ask } = await visitor(
      Array.from({ length: 50 }, (_, index) => [newsletter, report, both, picture][index % 4] ?? both),
    );
    const first = await ask(['envelope', 'flags', 'preview', { headers: ['List-Id'] }]);
    expect(first.messages).toHaveLength(50);
    const fetches = first.explain?.commands.filter((command) => command.endsWith('FETCH'));
    // Commands for parts of several numbers go in one packet: see the test with a scripted server.
    expect(fetches?.length).toBeLessThanOrEqual(4);
    const again = await ask(['envelope', 'flags', 'preview', { headers: ['List-Id'] }]);
    expect(again.explain?.commands).toEqual(['NOOP']);
    expect(again.messages).toEqual(first.messages);
  });

  it('of a search have the same members', async () => {
    const { session, ask } = await visitor();
    const fields: Field[] = ['preview', 'attachments', 'structure', 'emailId', { headers: ['List-Id'] }];
    const { messages } = await ask(fields);
    const found = await mail.client.call('message.search', { session, mailbox: 'INBOX', criteria: {}, fields });
    expect(found.messages.sort((a, b) => b.uid - a.uid)).toEqual(messages);
  });
});
