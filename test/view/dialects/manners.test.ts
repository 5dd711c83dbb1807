import { describe, expect, it, onTestFinished } from 'vitest';
import { type Lane, openLanes } from '../../model/lane.js';
import { mailOf } from '../../model/mails.js';
import { type DialectName, dialects, startDialect } from '../../support/dialects.js';
import { Manners, unoffered } from '../../support/unoffered.js';

const names = Object.keys(dialects) as DialectName[];

/** Everything that can be asked, in an order in which each finds what it needs; refusals are answers, too. */
async function visit(name: DialectName) {
  const dialect = await startDialect(name);
  onTestFinished(() => dialect.dovecot.stop());
  const sent: string[] = [];
  const manners = new Manners(dialect.offered);
  const { lanes, close } = await openLanes(dialect, 1, manners, (line) => sent.push(line));
  onTestFinished(close);
  const [lane] = lanes;
  if (!lane) throw new Error('no lane');
  const mailbox = `${dialect.prefix}Visited`;
  const destination = `${dialect.prefix}Other`;
  const refused: string[] = [];
  const ask: typeof lane.ask = (socket, method, params) =>
    lane.ask(socket, method, params).catch((error: unknown) => {
      refused.push(method);
      throw error;
    });
  const attempt = (asking: Promise<unknown>) => asking.catch(() => {});
  await ask(0, 'mailbox.create', { mailbox });
  await ask(1, 'mailbox.create', { mailbox: destination });
  for (const content of [0, 1, 2, 3, 4]) {
    const data = Buffer.from(mailOf(content)).toString('base64');
    await ask(0, 'message.append', { mailbox, data, flags: ['\\Seen', 'Work'] });
  }
  const fields = ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview'] as const;
  const first = await ask(0, 'message.list', { mailbox, limit: 2, fields: [...fields] });
  await ask(1, 'message.list', { mailbox, limit: 2, cursor: first.nextCursor ?? '' });
  await ask(1, 'message.list', { mailbox: 'INBOX', maxAgeMs: 60_000 });
  const folder = { mailbox, uidValidity: first.uidValidity };
  await ask(0, 'message.get', { ...folder, uids: [1, 2, 99], headers: true });
  await ask(0, 'message.part', { ...folder, uid: 1, part: '1', transfer: 'inline' });
  await ask(0, 'message.source', { ...folder, uid: 1, transfer: 'inline' });
  for (const by of ['arrival', 'date', 'from', 'subject', 'size'] as const) {
    await ask(0, 'message.search', { mailboxes: [mailbox], filter: { subject: 'Content' }, sort: [{ by }] });
  }
  await ask(0, 'message.search', { mailboxes: [mailbox], filter: { or: [{ seen: false }, { text: 'süß' }] } });
  await ask(0, 'message.threads', { mailbox });
  await ask(0, 'message.thread', { ...folder, uid: 1 });
  await ask(0, 'message.flag', { ...folder, uids: [1], action: 'add', flags: ['\\Flagged'] });
  await ask(0, 'message.copy', { ...folder, uids: [1, 2], destination });
  await attempt(ask(0, 'message.move', { ...folder, uids: [3], destination }));
  await attempt(ask(0, 'message.delete', { ...folder, uids: [4] }));
  await ask(0, 'mailbox.list', { counts: true });
  await ask(0, 'mailbox.list', { counts: true, subscribedOnly: true });
  await ask(0, 'mailbox.status', { mailboxes: [mailbox, destination, 'INBOX'] });
  await ask(0, 'mailbox.unsubscribe', { mailbox: destination });
  await ask(0, 'mailbox.subscribe', { mailbox: destination });
  await ask(0, 'quota.get', { mailbox: 'INBOX' });
  await ask(0, 'message.list', { mailbox });
  await ask(0, 'mailbox.rename', { mailbox, newName: `${mailbox}-new` });
  await ask(0, 'message.list', { mailbox: destination });
  await ask(0, 'mailbox.delete', { mailbox: destination });
  if (lane.tellsChanges) {
    const { state } = (await ask(0, 'message.list', { mailbox: 'INBOX' })) as { state?: string };
    await lane.askPlainly(0, 'mailbox.changes', { mailbox: 'INBOX', since: state });
  }
  await lane.dropConnections();
  await ask(0, 'message.list', { mailbox: 'INBOX' });
  return { manners, sent, refused };
}

describe('a server is never sent what it does not offer', () => {
  it.each(names)('%s', async (name) => {
    const { manners, sent } = await visit(name);
    expect([...manners.breaches]).toEqual([]);
    expect(sent.length).toBeGreaterThan(40);
  });

  it.each<DialectName>(['without CONDSTORE', 'bare'])(
    'nor is it asked by mod-sequences that it tells without offering them: %s',
    async (name) => {
      const dialect = await startDialect(name);
      onTestFinished(() => dialect.dovecot.stop());
      const manners = new Manners(dialect.offered);
      const { lanes, close } = await openLanes(dialect, 1, manners);
      onTestFinished(close);
      const [lane] = lanes as [Lane];
      const mailbox = lane.newName(0);
      const append = (content: number) => lane.append(mailbox, content, []);
      await lane.observe([`CREATE "${mailbox}"`, append(0), append(1)], []);
      // Dovecot counts mod-sequences from now on, and tells them to each session that opens the folder.
      await lane.observe([`SELECT "${mailbox}"`, 'UID FETCH 1 (MODSEQ)', 'EXAMINE INBOX'], []);
      const list = () => lane.ask(0, 'message.list', { mailbox });
      const { uidValidity, state } = await list();
      const [told] = await lane.other().send(`EXAMINE "${mailbox}"`);
      expect(String(told?.untagged)).toContain('HIGHESTMODSEQ');
      for (const command of [append(2), `STORE 1 +FLAGS (\\Flagged)`]) {
        await lane.observe([`SELECT "${mailbox}"`, command, 'EXAMINE INBOX'], []);
        await lane.dropConnections();
        await list();
      }
      expect((await list()).messages.map(({ uid, flags }) => [uid, flags])).toEqual([
        [3, []],
        [2, []],
        [1, ['\\Flagged']],
      ]);
      await lane.ask(0, 'mailbox.changes', { mailbox, since: state ?? '' });
      const filter = { flagged: true };
      await lane.ask(0, 'message.search', { mailboxes: [mailbox, 'INBOX'], filter });
      await lane.ask(0, 'message.search', { mailboxes: [mailbox, 'INBOX'], filter });
      expect([...manners.breaches]).toEqual([]);
      const info = await lane.ask(0, 'mailbox.info', { mailbox });
      expect(info).toMatchObject({ uidValidity, highestModseq: null });
    },
  );

  it('and where it cannot move or expunge single messages, that is refused before anything is done', async () => {
    const { refused, sent } = await visit('bare');
    expect(refused).toEqual(['message.move', 'message.delete']);
    expect(sent.filter((line) => /EXPUNGE|\\Deleted/i.test(line))).toEqual([]);
  });
});

describe('a command that a server does not offer is noticed:', () => {
  it.each([
    ['ENABLE', 'ENABLE'],
    ['SELECT "f" (CONDSTORE)', 'CONDSTORE or QRESYNC'],
    ['EXAMINE f (QRESYNC (1 20))', 'QRESYNC'],
    ['UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)', 'CONDSTORE or QRESYNC'],
    ['UID FETCH 1:* (UID MODSEQ)', 'CONDSTORE or QRESYNC'],
    ['UID STORE 1 (UNCHANGEDSINCE 5) +FLAGS (x)', 'CONDSTORE or QRESYNC'],
    ['STATUS "f" (MESSAGES HIGHESTMODSEQ)', 'CONDSTORE or QRESYNC'],
    ['STATUS "f" (MESSAGES SIZE)', 'STATUS=SIZE'],
    ['LIST "" "*" RETURN (SUBSCRIBED)', 'LIST-EXTENDED'],
    ['LIST (SUBSCRIBED) "" "*"', 'LIST-EXTENDED'],
    ['UID SEARCH RETURN (ALL) UNSEEN', 'ESEARCH'],
    ['UID SORT (ARRIVAL) UTF-8 ALL', 'SORT'],
    ['UID THREAD REFERENCES UTF-8 ALL', 'THREAD=REFERENCES'],
    ['UID EXPUNGE 1', 'UIDPLUS'],
    ['UID MOVE 1 f', 'MOVE'],
    ['UNSELECT', 'UNSELECT'],
    ['NAMESPACE', 'NAMESPACE'],
    ['NOTIFY SET (selected (MessageNew))', 'NOTIFY'],
    ['COMPRESS DEFLATE', 'COMPRESS=DEFLATE'],
    ['ID ("name" "x")', 'ID'],
    ['GETQUOTAROOT INBOX', 'QUOTA'],
    ['AUTHENTICATE PLAIN AGEAYg==', 'SASL-IR'],
    ['UID FETCH 1 (PREVIEW)', 'PREVIEW'],
    ['APPEND "f" {12+}', 'LITERAL+ or LITERAL-'],
  ])('%s', (command, missing) => {
    const bare = new Set(['IMAP4REV1', 'IDLE']);
    expect(unoffered(`A1 ${command}`, bare)).toBe(missing);
    expect(unoffered(`A1 ${command}`, new Set([...bare, ...missing.split(' or ')]))).toBeUndefined();
  });

  it.each([
    'SELECT "UID MOVE (CONDSTORE)"',
    'UID SEARCH SUBJECT "RETURN (ALL)"',
    'UID FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)',
    'STATUS "f" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
    'IDLE',
    'DONE',
  ])('but %s is for every server', (command) => {
    expect(unoffered(`A1 ${command}`, new Set(['IMAP4REV1', 'IDLE']))).toBeUndefined();
  });
});
