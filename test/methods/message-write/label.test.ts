import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { searchUids } from '../../../src/imap/messages/search/search.js';
import { handlers } from '../../../src/methods/handlers.js';
import { messageWriteHandlers } from '../../../src/methods/message-write.js';
import { Prepared } from '../../../src/methods/support/prepared.js';
import { contract, type Params } from '../../../src/protocol/contract.js';
import type { Criteria } from '../../../src/protocol/criteria.js';
import type { GmailMail } from '../../support/gmail-mail.js';
import { GmailServer } from '../../support/gmail-server.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { startScriptedServer } from '../../support/scripted-server.js';

const ALL_MAIL = '[Gmail]/All Mail';
const ALL = { mailbox: ALL_MAIL, uidValidity: 2 };
const INBOX = { mailbox: 'INBOX', uidValidity: 1 };

type Asked = Omit<Params<'message.label'>, 'session' | 'add' | 'remove'> & { add?: string[]; remove?: string[] };

async function accountAt(server: Awaited<ReturnType<typeof startScriptedServer>>) {
  onTestFinished(() => server.close());
  const account = await directAccount(server.server(), { user: 'me@gmail.com', password: 'x' });
  onTestFinished(() => account.close());
  const context = handlerContext('message.label', account);
  const label = async (params: Asked) => {
    const parsed = contract['message.label'].params.parse({ session: 's', ...params });
    return contract['message.label'].result.parse(await messageWriteHandlers['message.label'](context, parsed));
  };
  return { account, label };
}

describe('message.label at Gmail', () => {
  let gmail: GmailServer;
  let mails: GmailMail[];
  let at: Awaited<ReturnType<typeof accountAt>>;
  beforeEach(async () => {
    gmail = await GmailServer.start();
    const first = gmail.deliver({ subject: 'Offer', labels: ['\\Inbox', 'Work'] });
    mails = [
      first,
      gmail.deliver({ subject: 'Re: Offer', labels: ['\\Sent'], repliesTo: first, flags: ['\\Seen'] }),
      gmail.deliver({ subject: 'Party', labels: ['\\Inbox', '\\Starred', 'Größe & Co/Früh'] }),
    ];
    at = await accountAt(gmail.scripted);
  });

  it('adds labels, and each is a folder that has the message', async () => {
    const answer = await at.label({ ...ALL, uids: [2, 1, 2], add: ['Work', '\\Important', 'Übung "a" \\ b'] });
    expect(answer).toEqual({
      messages: [
        { uid: 2, labels: ['Work', '\\Important', '\\Sent', 'Übung "a" \\ b'] },
        { uid: 1, labels: ['Work', '\\Important', '\\Inbox', 'Übung "a" \\ b'] },
      ],
      notFound: [],
    });
    expect(mails.map((mail) => gmail.uidOf(mail, 'Übung "a" \\ b'))).toEqual([1, 2, undefined]);
    expect(gmail.uidOf(mails[1] as GmailMail, 'Work')).toBe(2);
  });

  it('removes labels, adds others with them, and asks for no more where the server has told all', async () => {
    const answer = await at.label({ ...ALL, uids: [3], add: ['New'], remove: ['Größe & Co/Früh', '\\Starred'] });
    expect(answer).toEqual({ messages: [{ uid: 3, labels: ['New', '\\Inbox'].sort() }], notFound: [] });
    const names = gmail.scripted.names().filter((name) => name.startsWith('UID'));
    expect(names).toEqual(['UID SEARCH', 'UID STORE', 'UID STORE']);
  });

  it('shows the labels of a folder without its own', async () => {
    const answer = await at.label({ ...INBOX, uids: [1], add: ['Later'] });
    expect(answer.messages).toEqual([{ uid: 1, labels: ['Later', 'Work'] }]);
  });

  it('tells that a message has left the folder with its label, and that another is not there', async () => {
    const answer = await at.label({ ...INBOX, uids: [1, 7, 2], remove: ['\\Inbox'] });
    expect(answer).toEqual({
      messages: [
        { uid: 1, labels: null },
        { uid: 2, labels: null },
      ],
      notFound: [7],
    });
    expect(gmail.uidOf(mails[0] as GmailMail, 'INBOX')).toBeUndefined();
    expect(gmail.uidOf(mails[0] as GmailMail, ALL_MAIL)).toBe(1);
  });

  it('finds a message that the session was not told of', async () => {
    await at.account.connection.select(ALL_MAIL);
    gmail.deliver({ labels: [] });
    expect(await at.label({ ...ALL, uids: [4], add: ['Late'] })).toEqual({
      messages: [{ uid: 4, labels: ['Late'] }],
      notFound: [],
    });
  });

  it.each<[Partial<Asked>, string, string]>([
    [{}, 'INVALID_PARAMS', 'add'],
    [{ add: ['Work'], remove: ['work'] }, 'INVALID_PARAMS', 'remove'],
    [{ uidValidity: 9, add: ['x'] }, 'STATE_CHANGED', 'uidValidity'],
  ])('refuses %j', async (wrong, kind, field) => {
    await expect(at.label({ ...ALL, uids: [1], ...wrong })).rejects.toMatchObject({ kind, field });
    expect(mails[0]?.labels).toEqual(new Set(['\\Inbox', 'Work']));
  });

  it.each<[Criteria, number[]]>([
    [{ label: 'work' }, [1]],
    [{ label: 'Größe & Co/Früh' }, [3]],
    [{ label: '\\Inbox', not: { label: 'Work' } }, [3]],
    [{ label: 'None' }, []],
    [{ gmailRaw: 'is:unread subject:offer' }, [1]],
    [{ gmailRaw: 'is:unread', or: [{ uidAfter: 2 }] }, [3]],
    [{ threadId: '1700000000000000000' }, [1, 2]],
    [{ emailId: '1700000000000000002' }, [3]],
    [{ emailId: '5' }, []],
    [{ modseqSince: '1003' }, [3]],
    [{ olderThanSeconds: 60, youngerThanSeconds: 4_294_967_295, seen: false }, [1, 3]],
    [{ youngerThanSeconds: 60 }, []],
    [{ receivedOn: '2024-05-06', subject: 'party' }, [3]],
  ])('finds by %j', async (criteria, uids) => {
    await at.account.connection.select(ALL_MAIL);
    expect(await searchUids(at.account.connection, criteria)).toEqual(uids);
  });

  it('lists its folders and messages like any server', async () => {
    const ask = async (method: 'mailbox.list' | 'message.list', params: object) => {
      const parsed = contract[method].params.parse({ session: 's', ...params });
      const handler = handlers[method] as unknown as (context: unknown, params: unknown) => Promise<unknown>;
      const result = await handler(handlerContext(method, at.account), parsed);
      return result instanceof Prepared ? JSON.parse(result.json()) : result;
    };
    expect(await ask('mailbox.list', { counts: true })).toMatchObject({
      mailboxes: expect.arrayContaining([
        expect.objectContaining({
          name: ALL_MAIL,
          specialUse: 'all',
          counts: expect.objectContaining({ messages: 3 }),
        }),
        expect.objectContaining({ name: 'Größe & Co/Früh' }),
      ]),
    });
    const fields = ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment'];
    const { messages } = await ask('message.list', { mailbox: ALL_MAIL, fields });
    expect(messages.map((one: { envelope: { subject: string } }) => one.envelope.subject)).toEqual([
      'Party',
      'Re: Offer',
      'Offer',
    ]);
    expect(messages[0]).toMatchObject({ uid: 3, flags: ['\\Flagged'], hasAttachment: false });
  });

  it('says NO to a FETCH of bodies of which it has not all', async () => {
    gmail.deliver({ unfetchable: true });
    const { connection } = at.account;
    await connection.select(ALL_MAIL);
    const rows: (number | undefined)[] = [];
    const fetched = connection.exec(
      'read',
      'FETCH',
      [
        { type: 'SEQUENCE', value: '3:4' },
        { type: 'ATOM', value: 'BODY.PEEK', section: [] },
      ],
      {
        FETCH: ({ number }) => rows.push(number),
      },
    );
    await expect(fetched).rejects.toMatchObject({
      kind: 'IMAP_NO',
      imap: { text: 'Some messages could not be FETCHed (Failure)' },
    });
    expect(rows).toEqual([3]);
  });
});

describe('message.label at other servers', () => {
  it('is refused, and nothing is sent to the folder', async () => {
    const server = await startScriptedServer({ exists: 1 });
    const { label } = await accountAt(server);
    await expect(label({ ...INBOX, uids: [1], add: ['Work'] })).rejects.toMatchObject({
      kind: 'UNSUPPORTED',
      executed: 'no',
      message: 'The IMAP server has no labels: only Gmail has (X-GM-EXT-1).',
    });
    expect(server.names()).not.toContain('UID STORE');
  });

  it('costs a server that tells labels without end its connection', async () => {
    const told = `* 1 FETCH (UID 1 X-GM-LABELS (${'x'.repeat(1024 * 1024)}))`;
    const server = await startScriptedServer({
      exists: 1,
      capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN X-GM-EXT-1',
      on: {
        'UID SEARCH': (command, client) => client.send('* SEARCH 1', `${command.tag} OK done`),
        'UID STORE': (command, client) =>
          client.send(...Array.from({ length: 70 }, () => told), `${command.tag} OK done`),
      },
    });
    const { account, label } = await accountAt(server);
    await expect(label({ ...INBOX, uids: [1], add: ['Work'] })).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(account.connection.usable).toBe(false);
  });

  it('asks for the labels that STORE did not tell, and takes no others', async () => {
    const server = await startScriptedServer({
      exists: 2,
      capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN X-GM-EXT-1',
      on: {
        'UID SEARCH': (command, client) => client.send('* SEARCH 1 2', `${command.tag} OK done`),
        'UID STORE': (command, client) =>
          client.send('* 1 FETCH (UID 1 X-GM-LABELS (Old))', '* 2 FETCH (FLAGS ())', `${command.tag} OK done`),
        'UID FETCH': (command, client) =>
          client.send(
            '* 1 FETCH (UID 1 X-GM-LABELS (Work "\\\\Inbox"))',
            '* 9 FETCH (UID 9 X-GM-LABELS (Work))',
            `${command.tag} OK done`,
          ),
      },
    });
    const { label } = await accountAt(server);
    expect(await label({ ...INBOX, uids: [1, 2], add: ['Work'] })).toEqual({
      messages: [
        { uid: 1, labels: ['Work', '\\Inbox'].sort() },
        { uid: 2, labels: null },
      ],
      notFound: [],
    });
  });
});
