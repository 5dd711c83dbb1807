import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { handlers } from '../../../src/methods/handlers.js';
import { contract, type ParamsIn } from '../../../src/protocol/contract.js';
import { scripted } from '../../imap/scripted.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';

const id = (name: number | string) => `<${name}@thread>`;

/** Mail number `n`, sent at minute `n`. */
function mail(
  n: number,
  { references = [] as (number | string)[], inReplyTo = [] as number[], messageId = id(n) } = {},
) {
  return message({
    subject: `Number ${n}`,
    messageId,
    date: new Date(Date.UTC(2024, 0, 1, 0, n)),
    ...(references.length > 0 ? { references: references.map((one) => id(one)) } : {}),
    ...(inReplyTo.length > 0 ? { inReplyTo: inReplyTo.map((one) => id(one)).join(' ') } : {}),
  });
}

type Asked = Omit<ParamsIn<'message.thread'>, 'session' | 'mailbox' | 'uidValidity' | 'uid'>;

describe.each<DialectName>(['full', 'bare'])('message.thread: %s', (name) => {
  let dialect: Dialect;
  let served: ServedMail;
  beforeAll(async () => {
    dialect = await startDialect(name);
    served = await serveMail(dialect.dovecot);
  });
  afterAll(() => served.stop());

  async function visitor(folders: Record<string, Buffer[]>) {
    const user = dialect.dovecot.user('thread');
    const session = await served.client.login(user);
    for (const [mailbox, mails] of Object.entries(folders)) {
      if (mailbox !== 'INBOX') await served.client.call('mailbox.create', { session, mailbox });
      await dialect.dovecot.deliver(user, mailbox, mails);
    }
    const ask = async (mailbox: string, uid: number, params: Asked = {}) => {
      const { uidValidity } = await served.client.call('message.list', { session, mailbox, limit: 1 });
      return served.client.call('message.thread', { session, mailbox, uidValidity, uid, explain: true, ...params });
    };
    const shown = async (...args: Parameters<typeof ask>) =>
      (await ask(...args)).messages.map(({ mailbox, uid }) => `${mailbox} ${uid}`);
    return { user, session, ask, shown };
  }

  it('is the conversation over the folder and what was sent, oldest first', async () => {
    const { ask } = await visitor({
      INBOX: [mail(1), mail(3, { references: [1, 2] }), mail(5), mail(7, { references: [1, 2, 3, 4] })],
      Sent: [mail(2, { references: [1] }), mail(4, { references: [1, 2, 3] }), mail(6)],
    });
    const { messages, by, more, incomplete, explain } = await ask('INBOX', 2);
    expect(messages.map(({ mailbox, uid }) => `${mailbox} ${uid}`)).toEqual([
      'INBOX 1',
      'Sent 1',
      'INBOX 2',
      'Sent 2',
      'INBOX 4',
    ]);
    expect({ by, more, incomplete }).toEqual({ by: 'headers', more: false, incomplete: [] });
    expect(messages[1]).toMatchObject({ envelope: { subject: 'Number 2', messageId: id(2) }, flags: [] });
    expect(explain?.commands.length).toBeLessThan(25);
    expect((await ask('INBOX', 2, { fields: [] })).messages[0]).toEqual({
      mailbox: 'INBOX',
      uidValidity: messages[0]?.uidValidity,
      uid: 1,
    });
  });

  it('is found from each of its messages, with parents that are missing and replies without References', async () => {
    const mails = [
      mail(1, { references: ['gone'] }),
      mail(2, { references: ['gone'] }),
      mail(3, { inReplyTo: [2] }),
      mail(4, { inReplyTo: [3] }),
      mail(9),
    ];
    const { shown } = await visitor({ INBOX: mails });
    for (const uid of [1, 2, 3, 4]) {
      expect(await shown('INBOX', uid), String(uid)).toEqual(['INBOX 1', 'INBOX 2', 'INBOX 3', 'INBOX 4']);
    }
    expect(await shown('INBOX', 5)).toEqual(['INBOX 5']);
  });

  it('has a message with each copy of it, and looks where the caller says', async () => {
    const { shown, ask } = await visitor({ INBOX: [mail(1), mail(2, { references: [1] })], Other: [mail(1), mail(8)] });
    expect(await shown('INBOX', 2, { mailboxes: ['INBOX', 'Other', 'Other'] })).toEqual([
      'INBOX 1',
      'Other 1',
      'INBOX 2',
    ]);
    expect(await shown('INBOX', 2, { mailboxes: ['Other'] })).toEqual(['Other 1']);
    const refused = await ask('INBOX', 2, { mailboxes: ['INBOX', 'Nowhere'] });
    expect(refused).toMatchObject({ incomplete: ['Nowhere'], more: false });
    expect(refused.messages).toHaveLength(2);
  });

  it('has the headers that are asked for, and References only where they are', async () => {
    const { ask } = await visitor({ INBOX: [mail(1), mail(2, { references: [1] })] });
    const headersOf = async (fields: Asked['fields']) =>
      (await ask('INBOX', 2, { fields })).messages.map(({ headers }) =>
        headers?.map((line) => `${line.name}: ${line.value}`),
      );
    expect(await headersOf([{ headers: ['subject'] }])).toEqual([['subject: Number 1'], ['subject: Number 2']]);
    expect(await headersOf([{ headers: ['REFERENCES'] }])).toEqual([[], [`REFERENCES: ${id(1)}`]]);
    expect(await headersOf(['flags'])).toEqual([undefined, undefined]);
  });

  it('costs five round trips at most, however many folders it looks into', async () => {
    const folders = Object.fromEntries(
      ['INBOX', 'A', 'B', 'C', 'D'].map((mailbox, n) => [mailbox, [mail(1, { references: ['root', n] })]]),
    );
    const { ask } = await visitor(folders);
    const { messages, explain } = await ask('INBOX', 1, { mailboxes: Object.keys(folders), fields: ['flags'] });
    expect(messages).toHaveLength(5);
    // A second search is for the ids that the first one has found.
    expect(explain?.roundTrips).toBeLessThanOrEqual(5);
  });

  it('takes ids that go in circles, that are quoted, 8-bit or far too long, and a message without any', async () => {
    const odd = ['<"a b"@x>', '<"q\\"uo(te"@x>', '<süß@x>', `<${'x'.repeat(10_000)}@x>`, '<*@x>', '<%{3}@x>'];
    const { shown } = await visitor({
      INBOX: [
        mail(1, { references: [2, 3] }),
        mail(2, { references: [3, 1] }),
        mail(3, { references: [1, 2, 3] }),
        ...odd.map((messageId, n) => mail(10 + n, { messageId })),
        Buffer.from('Subject: bare\r\n\r\nNo ids.\r\n'),
        Buffer.from(`References: ${odd.join(' ')}\r\nMessage-ID: <end@x>\r\n\r\nAll.\r\n`),
      ],
    });
    expect(await shown('INBOX', 3)).toEqual(['INBOX 1', 'INBOX 2', 'INBOX 3']);
    for (const [n, messageId] of odd.entries()) {
      expect(await shown('INBOX', 4 + n), messageId.slice(0, 20)).toContain(`INBOX ${4 + n}`);
    }
    expect(await shown('INBOX', 10)).toEqual(['INBOX 10']);
    expect(await shown('INBOX', 11)).toContain('INBOX 8');
  });

  it('is no more than 500 messages, and says so', async () => {
    const replies = Array.from({ length: 510 }, (_, n) => mail(n + 2, { references: [1] }));
    const { ask } = await visitor({ INBOX: [mail(1), ...replies] });
    const { messages, more } = await ask('INBOX', 1, { fields: [] });
    expect([messages.length, messages[0]?.uid, more]).toEqual([500, 1, true]);
  });

  it('follows a chain of replies that each name but the one before', async () => {
    const chain = Array.from({ length: 30 }, (_, n) => mail(n + 1, n === 0 ? {} : { inReplyTo: [n] }));
    const { ask } = await visitor({ INBOX: chain });
    const { messages, more } = await ask('INBOX', 15);
    expect(messages.length).toBeGreaterThan(5);
    expect(more).toBe(true);
  });

  it('answers NOT_FOUND for a message that is not there, STATE_CHANGED for another folder', async () => {
    const { session, ask } = await visitor({ INBOX: [mail(1)] });
    await expect(ask('INBOX', 7)).rejects.toMatchObject({ data: { kind: 'NOT_FOUND', field: 'uid' } });
    const params = { session, mailbox: 'INBOX', uidValidity: 4, uid: 1 };
    await expect(served.client.call('message.thread', params)).rejects.toMatchObject({
      data: { kind: 'STATE_CHANGED' },
    });
  });
});

interface ScriptedMail {
  uid: number;
  n: number;
  thread: string;
}

/** A server that names conversations, with these folders; each message answers number 1. */
async function naming(capability: string, item: string, folders: Record<string, ScriptedMail[]>) {
  const mailOf = (mailbox: string | undefined) => folders[mailbox ?? ''] ?? [];
  const fetch: ScriptedHandler = (command, connection) => {
    const [, set = '', items = ''] = /^(\S+) \((.*)\)$/.exec(command.args) ?? [];
    const lines = mailOf(connection.mailbox)
      .filter(({ uid }) => set.split(',').includes(String(uid)))
      .map(({ uid, n, thread }, index) => {
        const values = [
          ['ENVELOPE', `("Mon, 1 Jan 2024 00:0${n}:00 +0000" "S" NIL NIL NIL NIL NIL NIL NIL "${id(n)}")`],
          ['INTERNALDATE', '"01-Jan-2024 00:00:00 +0000"'],
          ['FLAGS', '()'],
          ['RFC822.SIZE', '100'],
          ['BODY.PEEK[HEADER.FIELDS (References)]', `{24}\r\nReferences: ${id(1)}\r\n`],
          [item, item === 'THREADID' && thread !== 'NIL' ? `(${thread})` : thread],
        ].filter(([key = '']) => items.includes(key));
        const told = values.map(([key = '', value]) => `${key.replace('.PEEK', '')} ${value}`);
        return `* ${index + 1} FETCH (UID ${uid} ${told.join(' ')})`;
      });
    connection.send(...lines, `${command.tag} OK done`);
  };
  const server = await scripted({
    capabilities: `IMAP4rev1 SASL-IR AUTH=PLAIN ID NAMESPACE IDLE ${capability}`,
    exists: 9,
    on: {
      'UID FETCH': fetch,
      'UID SEARCH': (command, connection) => {
        const [, wanted] = new RegExp(`${item} (\\S+)$`).exec(command.args) ?? [];
        const hits = mailOf(connection.mailbox).filter(({ thread }) => thread === wanted || wanted === undefined);
        connection.send(`* SEARCH ${hits.map(({ uid }) => uid).join(' ')}`.trimEnd(), `${command.tag} OK done`);
      },
      LIST: (command, connection) => {
        const attributes: Record<string, string> = { 'All Mail': '\\All', Sent: '\\Sent' };
        const lines = Object.keys(folders).map((name) => `* LIST (${attributes[name] ?? ''}) "/" "${name}"`);
        connection.send(...lines, `${command.tag} OK done`);
      },
      LSUB: (command, connection) => connection.ok(command),
    },
  });
  const account = await directAccount(server.server(), { user: 'alice', password: 'open-sesame' });
  onTestFinished(() => account.close());
  const ask = async (params: Asked & { mailbox: string; uid: number }, timeoutMs = 30_000) => {
    const parsed = contract['message.thread'].params.parse({ session: 'x', uidValidity: 1, ...params });
    const context = handlerContext('message.thread', account, { timeoutMs });
    return handlers['message.thread'](context, parsed) as Promise<{
      messages: { mailbox: string; uid: number }[];
      by: string;
      incomplete: string[];
    }>;
  };
  return { server, ask };
}

describe('message.thread at a server that names conversations', () => {
  const shown = ({ messages }: { messages: { mailbox: string; uid: number }[] }) =>
    messages.map(({ mailbox, uid }) => `${mailbox} ${uid}`);

  it('asks Gmail for X-GM-THRID in the folder of all mail, which has each message once', async () => {
    const thread = '1278455344230334865';
    const { server, ask } = await naming('X-GM-EXT-1', 'X-GM-THRID', {
      INBOX: [{ uid: 5, n: 3, thread }],
      'All Mail': [
        { uid: 11, n: 1, thread },
        { uid: 12, n: 2, thread: '77' },
        { uid: 13, n: 3, thread },
      ],
      Sent: [{ uid: 2, n: 1, thread }],
    });
    const answer = await ask({ mailbox: 'INBOX', uid: 5 });
    expect(answer).toMatchObject({ by: 'server', incomplete: [] });
    expect(shown(answer)).toEqual(['All Mail 11', 'All Mail 13']);
    expect(server.received.filter((line) => line.includes('SEARCH')).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      `UID SEARCH X-GM-THRID ${thread}`,
    ]);
    // What other folders have of it stands for what all mail has.
    expect(shown(await ask({ mailbox: 'INBOX', uid: 5, mailboxes: ['INBOX', 'All Mail', 'Sent'] }))).toEqual([
      'Sent 2',
      'INBOX 5',
    ]);
  });

  it('tells of the message itself where all mail has none of it, as of what is in Spam', async () => {
    const { ask } = await naming('X-GM-EXT-1', 'X-GM-THRID', {
      Spam: [{ uid: 5, n: 3, thread: '9' }],
      'All Mail': [{ uid: 11, n: 1, thread: '9' }],
    });
    expect(shown(await ask({ mailbox: 'Spam', uid: 5 }))).toEqual(['All Mail 11', 'Spam 5']);
  });

  it('asks for THREADID (RFC 8474) in each folder, and goes by headers where a message has none', async () => {
    const folders = {
      INBOX: [
        { uid: 5, n: 3, thread: 'T-a_1' },
        { uid: 6, n: 4, thread: 'T-b' },
        { uid: 7, n: 5, thread: 'NIL' },
      ],
      Sent: [{ uid: 2, n: 1, thread: 'T-a_1' }],
    };
    const { server, ask } = await naming('OBJECTID', 'THREADID', folders);
    const answer = await ask({ mailbox: 'INBOX', uid: 5 });
    expect(answer).toMatchObject({ by: 'server', incomplete: [] });
    expect(shown(answer)).toEqual(['Sent 2', 'INBOX 5']);
    expect(server.received.filter((line) => line.includes('THREADID T-a_1'))).toHaveLength(2);
    const byHeaders = await ask({ mailbox: 'INBOX', uid: 7 });
    expect(byHeaders.by).toBe('headers');
    expect(shown(byHeaders)).toEqual(['Sent 2', 'INBOX 5', 'INBOX 6', 'INBOX 7']);
  });

  it('tells by the deadline what it has found, and where it has not looked', async () => {
    const thread = 'T1';
    const { server, ask } = await naming('OBJECTID', 'THREADID', {
      INBOX: [{ uid: 5, n: 3, thread }],
      Sent: [{ uid: 2, n: 1, thread }],
    });
    server.on.EXAMINE = (command, connection) => {
      connection.mailbox = command.args.replace(/"/g, '');
      if (connection.mailbox !== 'Sent') connection.send('* 9 EXISTS', '* OK [UIDVALIDITY 1] .', `${command.tag} OK .`);
    };
    const answer = await ask({ mailbox: 'INBOX', uid: 5 }, 1_500);
    expect(answer.incomplete).toEqual(['INBOX', 'Sent']);
    expect(shown(answer)).toEqual(['INBOX 5']);
  });
});
