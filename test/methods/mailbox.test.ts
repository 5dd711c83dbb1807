import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { mailboxHandlers } from '../../src/methods/mailbox.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { contract } from '../../src/protocol/contract.js';
import { Trace } from '../../src/runtime/trace.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { list, status } from '../support/folder-handlers.js';
import { directAccount, handlerContext } from '../support/handler-context.js';

const {
  'mailbox.create': create,
  'mailbox.delete': remove,
  'mailbox.rename': rename,
  'mailbox.subscribe': subscribe,
  'mailbox.unsubscribe': unsubscribe,
} = mailboxHandlers;

const session = 's';
const full = 'IMAP4rev1 NAMESPACE UIDPLUS LIST-EXTENDED LIST-STATUS SPECIAL-USE CHILDREN UNSELECT QUOTA';

describe.each([
  ['with all extensions', undefined],
  ['without LIST-STATUS', 'IMAP4rev1 NAMESPACE UIDPLUS LIST-EXTENDED SPECIAL-USE CHILDREN UNSELECT'],
  ['of IMAP4rev1 alone', 'IMAP4rev1'],
])('folders on a server %s', (_label, imapCapability) => {
  let dovecot: Dovecot;
  let user: string;
  let account: Awaited<ReturnType<typeof directAccount>>;
  beforeAll(async () => {
    dovecot = await Dovecot.start({ separator: '/', ...(imapCapability ? { imapCapability } : {}) });
  });
  afterAll(() => dovecot.stop());
  beforeEach(async () => {
    user = newUser();
    account = await directAccount(dovecot.server(), { user, password: PASSWORD });
    onTestFinished(() => account.close());
  });
  const make = (mailbox: string, options = { subscribe: true }) =>
    create(handlerContext('mailbox.create', account), { session, mailbox, ...options });
  const folders = async (options: { counts?: boolean; subscribedOnly?: boolean } = {}) => {
    const params = { session, counts: false, subscribedOnly: false, ...options };
    const result = await list(handlerContext('mailbox.list', account), params);
    expect(contract['mailbox.list'].result.parse(result)).toEqual(result);
    return result.mailboxes;
  };
  const folder = async (name: string, options = {}) => (await folders(options)).find((entry) => entry.name === name);
  const move = (mailbox: string, newName: string) =>
    rename(handlerContext('mailbox.rename', account), { session, mailbox, newName });
  const drop = (mailbox: string) => remove(handlerContext('mailbox.delete', account), { session, mailbox });
  const counts = async (...mailboxes: string[]) =>
    (await status(handlerContext('mailbox.status', account), { session, mailboxes })).statuses;

  it('come as a tree: parents first, special ones at the head, then by name', async () => {
    for (const name of ['b10', 'b9', 'Zoo/Äpfel', 'Zoo/Apfel', 'zoo 2', 'Äther']) await make(name);
    const all = await folders();
    expect(all.map(({ name }) => name)).toEqual([
      ...['INBOX', 'Drafts', 'Sent', 'Archive', 'Junk', 'Trash'],
      ...['Äther', 'b9', 'b10', 'Zoo', 'Zoo/Apfel', 'Zoo/Äpfel', 'zoo 2'],
    ]);
    expect(all[0]).toMatchObject({ specialUse: 'inbox', delimiter: '/', selectable: true, parent: null });
    expect(all[2]).toMatchObject({ name: 'Sent', specialUse: 'sent', specialUseSource: 'server', subscribed: true });
    expect(all.at(-3)).toMatchObject({ leaf: 'Apfel', parent: 'Zoo', hasChildren: false });
  });

  it('tell of a level that holds no messages', async () => {
    await make('holder/child');
    expect(await folder('holder', { counts: true })).toMatchObject({
      selectable: false,
      hasChildren: true,
      subscribed: false,
      counts: null,
    });
    expect(await counts('holder', 'holder/child')).toMatchObject([{ counts: null }, { counts: { messages: 0 } }]);
    expect(await make('holder')).toEqual({ mailbox: 'holder', created: true });
    expect(await folder('holder')).toMatchObject({ selectable: true, hasChildren: true, subscribed: true });
    await drop('holder/child');
    expect(await folder('holder')).toMatchObject({ selectable: true, hasChildren: false });
  });

  it('are counted as they are now, the selected one too', async () => {
    await make('count');
    await account.connection.select('count');
    await dovecot.deliver(user, 'count', ['Subject: 1\r\n\r\nx', 'Subject: 2\r\n\r\nx']);
    const expected = { messages: 2, unseen: 2, uidNext: 3, uidValidity: expect.any(Number) };
    expect(await counts('count', 'missing', 'count', 'inbox')).toMatchObject([
      { mailbox: 'count', counts: expected },
      { mailbox: 'missing', counts: null },
      { mailbox: 'count', counts: expected },
      { mailbox: 'inbox', counts: { messages: 0 } },
    ]);
    await dovecot.deliver(user, 'count', ['Subject: 3\r\n\r\nx']);
    expect(await folder('count', { counts: true })).toMatchObject({ counts: { messages: 3, unseen: 3, uidNext: 4 } });
    expect(await folder('count')).toMatchObject({ counts: null });
  });

  it('are listed as subscribed ones with the parents that hold them, and with those that were deleted', async () => {
    await make('p/in');
    await make('p/out', { subscribe: false });
    await make('gone');
    const other = await dovecot.client(user);
    await other.mailboxDelete('gone');
    await other.logout();
    const subscribed = await folders({ subscribedOnly: true });
    expect(subscribed.map(({ name }) => name)).toEqual(['Sent', 'gone', 'p', 'p/in']);
    expect(subscribed[1]).toMatchObject({ selectable: false, subscribed: true });
    expect(await folder('gone')).toBeUndefined();
    await unsubscribe(handlerContext('mailbox.unsubscribe', account), { session, mailbox: 'gone' });
    expect(await folder('gone', { subscribedOnly: true })).toBeUndefined();
  });

  it('are made once, under the name that the server lists', async () => {
    expect(await make('once')).toEqual({ mailbox: 'once', created: true });
    expect(await make('once', { subscribe: false })).toEqual({ mailbox: 'once', created: false });
    expect(await make('inbox/kid')).toEqual({ mailbox: 'INBOX/kid', created: true });
    expect(await make('Inbox', { subscribe: false })).toEqual({ mailbox: 'INBOX', created: false });
    expect(await folder('INBOX/kid')).toMatchObject({ parent: 'INBOX', subscribed: true });
  });

  it('are renamed with their children, messages and subscriptions', async () => {
    await make('old');
    await make('old/a');
    await make('old/b', { subscribe: false });
    await make('older');
    await dovecot.deliver(user, 'old/a', ['Subject: 1\r\n\r\nx']);
    expect(await move('old', 'top/next')).toEqual({ mailbox: 'top/next' });
    const all = await folders({ counts: true });
    expect(all.map(({ name }) => name).filter((name) => /^(old|top)/.test(name))).toEqual([
      ...['older', 'top', 'top/next', 'top/next/a', 'top/next/b'],
    ]);
    expect(all.find(({ name }) => name === 'top/next/a')).toMatchObject({ subscribed: true, counts: { messages: 1 } });
    const subscribed = (await folders({ subscribedOnly: true })).filter((entry) => entry.subscribed);
    expect(subscribed.map(({ name }) => name)).toEqual(['Sent', 'older', 'top/next', 'top/next/a']);
  });

  it('keep what others marked as deleted when they are renamed while selected', async () => {
    await make('sel/sub');
    await dovecot.deliver(user, 'sel/sub', ['Subject: 1\r\n\r\nx']);
    const other = await dovecot.client(user);
    await other.mailboxOpen('sel/sub');
    await other.messageFlagsAdd('1', ['\\Deleted']);
    await other.logout();
    await account.connection.select('sel/sub');
    await move('sel', 'moved');
    expect(account.connection.selected).toBeUndefined();
    expect(await account.connection.select('moved/sub')).toMatchObject({ exists: 1 });
    await drop('moved/sub');
    expect(account.connection.usable).toBe(true);
  });

  it('are deleted with their subscription, their children left as they are', async () => {
    await make('dir');
    await make('dir/leaf');
    await drop('dir');
    expect(await folder('dir')).toMatchObject({ selectable: false, subscribed: false, hasChildren: true });
    expect(await folder('dir/leaf')).toMatchObject({ selectable: true, subscribed: true });
    await expect(drop('dir')).rejects.toMatchObject({ kind: 'IMAP_NO', executed: 'no', imap: { status: 'NO' } });
    expect(await folder('dir/leaf')).toMatchObject({ selectable: true });
  });

  it('are subscribed and unsubscribed', async () => {
    await make('sub', { subscribe: false });
    expect(await folder('sub')).toMatchObject({ subscribed: false });
    const params = { session, mailbox: 'sub' };
    expect(await subscribe(handlerContext('mailbox.subscribe', account), params)).toEqual({ mailbox: 'sub' });
    expect(await folder('sub')).toMatchObject({ subscribed: true });
    await unsubscribe(handlerContext('mailbox.unsubscribe', account), params);
    expect(await folder('sub')).toMatchObject({ subscribed: false });
  });

  it('that do not exist are NOT_FOUND, with the field', async () => {
    const missing = { kind: 'NOT_FOUND', field: 'mailbox', executed: 'no' };
    await expect(move('missing', 'elsewhere')).rejects.toMatchObject(missing);
    await expect(drop('missing')).rejects.toMatchObject(missing);
    const params = { session, mailbox: 'missing' };
    await expect(subscribe(handlerContext('mailbox.subscribe', account), params)).rejects.toMatchObject(missing);
  });

  it('refuse what would do harm: INBOX deleted or renamed, a name that is taken, a folder below itself', async () => {
    await make('one');
    await make('two');
    await expect(drop('Inbox')).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'mailbox' });
    await expect(move('INBOX', 'x')).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'mailbox' });
    await expect(move('one', 'INBOX')).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'newName' });
    await expect(move('one', 'x//y')).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'newName' });
    await expect(move('one', 'two')).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { code: 'ALREADYEXISTS' } });
    await expect(move('one', 'one/below')).rejects.toMatchObject({ kind: 'IMAP_NO', executed: 'no' });
  });
});

describe('the cost of folders', () => {
  async function commands(imapCapability: string, params: { counts: boolean; subscribedOnly: boolean }) {
    const dovecot = await Dovecot.start({ imapCapability });
    onTestFinished(() => dovecot.stop());
    const account = await directAccount(dovecot.server(), { user: newUser(), password: PASSWORD });
    onTestFinished(() => account.close());
    const trace = new Trace();
    trace.begin(account.connection, 0, 0);
    account.connection.trace = trace;
    await list(handlerContext('mailbox.list', account), { session, ...params });
    return trace.explanation(0).commands.length;
  }

  it('is one command for all with counts where the server can', async () => {
    expect(await commands(full, { counts: true, subscribedOnly: false })).toBe(1);
  });

  it('is LIST, LSUB and one STATUS a folder where it cannot', async () => {
    expect(await commands('IMAP4rev1', { counts: true, subscribedOnly: false })).toBe(2 + 6);
  });
});

describe('folders of a shared namespace beside one with a prefix', () => {
  it.each([
    ['with LIST-EXTENDED', full],
    ['without it', 'IMAP4rev1 NAMESPACE'],
  ])('are listed, selected and renamed by their own names, %s', async (_label, imapCapability) => {
    const dovecot = await Dovecot.start({
      separator: '.',
      prefix: 'INBOX.',
      imapCapability,
      settings: `namespace public {
        type = public
        separator = .
        prefix = Öffentlich.
        location = maildir:%h/public
        list = no
      }`,
    });
    onTestFinished(() => dovecot.stop());
    const account = await directAccount(dovecot.server(), { user: newUser(), password: PASSWORD });
    onTestFinished(() => account.close());
    const context = handlerContext('mailbox.list', account);
    await create(context, { session, mailbox: 'Öffentlich.Vorlagen', subscribe: false });
    await create(context, { session, mailbox: 'Öffentlich.Templates.Entwürfe', subscribe: true });
    const { mailboxes } = await list(context, { session, counts: true, subscribedOnly: false });
    const shared = mailboxes.filter(({ name }) => name.startsWith('Öffentlich'));
    expect(shared).toMatchObject([
      { name: 'Öffentlich', parent: null, selectable: false, hasChildren: true },
      { name: 'Öffentlich.Templates', parent: 'Öffentlich', selectable: false },
      { name: 'Öffentlich.Templates.Entwürfe', subscribed: true, specialUse: null, counts: { messages: 0 } },
      { name: 'Öffentlich.Vorlagen', selectable: true, subscribed: false, counts: { messages: 0 } },
    ]);
    expect(mailboxes.filter(({ specialUse }) => specialUse === 'drafts').map(({ name }) => name)).toEqual([
      'INBOX.Drafts',
    ]);
    const { connection } = account;
    expect(await connection.select('Öffentlich.Vorlagen')).toMatchObject({ path: 'Öffentlich.Vorlagen', exists: 0 });
    const params = { session, mailbox: 'Öffentlich.Vorlagen', newName: 'Öffentlich.Neues' };
    expect(await rename(context, params)).toEqual({ mailbox: 'Öffentlich.Neues' });
  });
});

describe('a folder that another connection of the account has selected', () => {
  it('can be deleted: the other connection is left to the pool, and requests go on', async () => {
    const dovecot = await Dovecot.start();
    onTestFinished(() => dovecot.stop());
    const registry = new Registry(defaultPoolLimits);
    onTestFinished(() => registry.closeAll(1000));
    const user = newUser();
    const job = {
      label: 't',
      effect: 'read' as const,
      signal: new AbortController().signal,
      deadlineAt: Date.now() + 15_000,
    };
    const account = await registry.prove(
      { tenant: 't', server: dovecot.server(), user },
      { user, password: PASSWORD },
      job,
    );
    const context = () => handlerContext('mailbox.delete', account);
    await create(context(), { session, mailbox: 'shared', subscribe: true });
    let free: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    let selected: () => void = () => {};
    const ready = new Promise<void>((resolve) => {
      selected = resolve;
    });
    const holding = account.run({ ...job, mailbox: 'shared' }, async (connection) => {
      await connection.select('shared');
      selected();
      await held;
    });
    await ready;
    await remove(context(), { session, mailbox: 'shared' });
    free();
    await holding;
    const { statuses } = await status(context(), { session, mailboxes: ['shared', 'INBOX'] });
    expect(statuses).toMatchObject([{ counts: null }, { counts: { messages: 0 } }]);
    const { mailboxes } = await list(context(), { session, counts: true, subscribedOnly: false });
    expect(mailboxes.map(({ name }) => name)).not.toContain('shared');
  });
});
