import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailboxHandlers } from '../../src/methods/mailbox.js';
import { Dovecot, type DovecotOptions, newUser, PASSWORD } from '../support/dovecot.js';
import { list, status } from '../support/folder-handlers.js';
import { directAccount, handlerContext } from '../support/handler-context.js';

const { 'mailbox.create': create, 'mailbox.delete': remove, 'mailbox.rename': rename } = mailboxHandlers;

const session = 's';

/** Names as people and programs give them; `{d}` becomes what is no delimiter on the server under test. */
const names = [
  'Входящие 2024',
  '受信トレイ',
  'مسودات',
  'Ünïcödé çafé',
  '😀 emoji 𝒳',
  'a{d}b{d}c',
  'Tom & Jerry',
  '&',
  'A&-B',
  '&AOQ-',
  'say "hi"',
  "it's",
  'back\\slash',
  '\\Seen',
  '100%',
  'star * name',
  ' leading',
  'trailing ',
  '  both  ',
  'NIL',
  '{5}',
  '(paren) [bracket]',
  'constructor',
  '__proto__',
  'x'.repeat(200),
  // 269 octets on the wire are more than a folder on this disk may have; 80 letters are 215.
  'я'.repeat(80),
];

const servers: Array<{ label: string; options: DovecotOptions }> = [
  { label: "delimiter '/'", options: { separator: '/' } },
  { label: "delimiter '.'", options: { separator: '.' } },
  { label: "prefix 'INBOX.'", options: { separator: '.', prefix: 'INBOX.' } },
  { label: 'IMAP4rev1 alone', options: { separator: '/', imapCapability: 'IMAP4rev1' } },
];

describe.each(servers)('folder names on a server with $label', ({ options }) => {
  const { separator = '/', prefix = '' } = options;
  let dovecot: Dovecot;
  let account: Awaited<ReturnType<typeof directAccount>>;
  beforeAll(async () => {
    dovecot = await Dovecot.start(options);
    account = await directAccount(dovecot.server(), { user: newUser(), password: PASSWORD });
  });
  afterAll(async () => {
    await account.close();
    await dovecot.stop();
  });

  it.each(names)('%j is made, listed, counted, renamed and deleted as it is', async (pattern) => {
    const name = prefix + pattern.replaceAll('{d}', separator === '/' ? '.' : '_');
    const made = await create(handlerContext('mailbox.create', account), { session, mailbox: name, subscribe: true });
    expect(made).toEqual({ mailbox: name, created: true });

    const { mailboxes } = await list(handlerContext('mailbox.list', account), {
      session,
      counts: true,
      subscribedOnly: false,
    });
    const found = mailboxes.find((entry) => entry.name === name);
    expect(found).toMatchObject({ subscribed: true, selectable: true, counts: { messages: 0, unseen: 0 } });
    expect(found?.leaf).toBe(name.slice(prefix.length));
    expect(found?.parent).toBe(prefix ? 'INBOX' : null);

    const { statuses } = await status(handlerContext('mailbox.status', account), { session, mailboxes: [name] });
    expect(statuses[0]?.counts).toEqual(found?.counts);
    const { connection } = account;
    await expect(connection.select(name)).resolves.toMatchObject({ path: name, exists: 0 });

    const newName = `${name}-renamed`;
    const renamed = await rename(handlerContext('mailbox.rename', account), { session, mailbox: name, newName });
    expect(renamed).toEqual({ mailbox: newName });
    await remove(handlerContext('mailbox.delete', account), { session, mailbox: newName });
    const after = await list(handlerContext('mailbox.list', account), { session, counts: false, subscribedOnly: true });
    expect(after.mailboxes.map((entry) => entry.name)).not.toContain(name);
    expect(after.mailboxes.map((entry) => entry.name)).not.toContain(newName);
  });
});

describe('folder names that a server cannot take', () => {
  let dovecot: Dovecot;
  let account: Awaited<ReturnType<typeof directAccount>>;
  beforeAll(async () => {
    dovecot = await Dovecot.start({ separator: '.', prefix: 'INBOX.' });
    account = await directAccount(dovecot.server(), { user: newUser(), password: PASSWORD });
  });
  afterAll(async () => {
    await account.close();
    await dovecot.stop();
  });
  const make = (mailbox: string) =>
    create(handlerContext('mailbox.create', account), { session, mailbox, subscribe: true });
  const names = async () => {
    const context = handlerContext('mailbox.list', account);
    const { mailboxes } = await list(context, { session, counts: false, subscribedOnly: false });
    return mailboxes.map(({ name }) => name);
  };

  it.each(['INBOX.a.', 'INBOX..a', '.a', 'INBOX.a..b'])('%j has an empty level: INVALID_PARAMS', async (name) => {
    const before = await names();
    await expect(make(name)).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'mailbox', executed: 'no' });
    expect(await names()).toEqual(before);
  });

  it.each([
    ['without the prefix of the namespace', 'plain', /INBOX\./],
    ['with a character that the disk forbids', 'INBOX.a/b', /'\/'/],
    ['too long', `INBOX.${'я'.repeat(100)}`, /too long/],
    ['below a new parent, and too long', `INBOX.fresh.${'я'.repeat(100)}`, /too long/],
  ])('%s: IMAP_NO with the words of the server, and nothing is made', async (_what, name, words) => {
    const before = await names();
    await expect(make(name)).rejects.toMatchObject({
      kind: 'IMAP_NO',
      executed: 'no',
      imap: { status: 'NO', text: expect.stringMatching(words) },
    });
    expect(await names()).toEqual(before);
  });
});
