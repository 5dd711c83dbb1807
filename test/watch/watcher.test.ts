import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { WatchEvent } from '../../src/protocol/events.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { type Relay, startRelay } from '../support/relay.js';
import { RawClient, runBroker } from '../support/running-broker.js';

type FolderEvent = Exclude<WatchEvent, { type: 'folders' }>;
type FoldersEvent = Extract<WatchEvent, { type: 'folders' }>;

interface Place {
  dovecot: Dovecot;
  relay: Relay;
  broker: Broker & { url: string };
}

const variants = {
  'with NOTIFY and QRESYNC': undefined,
  'with IDLE and CONDSTORE': 'IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE UIDPLUS MOVE CONDSTORE ESEARCH',
  'with IDLE alone': 'IMAP4rev1 IDLE UIDPLUS',
  'without anything': 'IMAP4rev1 UIDPLUS',
};
const times = { heartbeatMs: 60_000, pollMs: 100, quietMs: 20, retryMs: 20, stayMs: 1_000 };

describe.each(Object.entries(variants))('a watch at a server %s', (_name, imapCapability) => {
  let place: Place;
  beforeAll(async () => {
    const dovecot = await Dovecot.start({ ...(imapCapability && { imapCapability }), settings: promptIdle });
    const relay = await startRelay(dovecot.tlsPort);
    const broker = await runBroker(dovecot, {
      servers: [{ ...dovecot.server(), port: relay.port }],
      watchTimes: times,
    });
    place = { dovecot, relay, broker };
  });
  afterAll(async () => {
    await place.broker.stop();
    await place.relay.close();
    await place.dovecot.stop();
  });

  async function watched(mailboxes: string[], fill: (user: string) => Promise<unknown> = async () => {}) {
    const user = newUser();
    await fill(user);
    const client = await RawClient.open(place.broker.url);
    onTestFinished(() => client.close());
    const session = await client.login(user);
    const started = await client.call('watch.start', { session, mailboxes });
    const events = () =>
      client.notifications
        .filter(({ method }) => method === 'event')
        .map(({ params }) => params as unknown as FolderEvent);
    const untilEvent = (type: FolderEvent['type'], mailbox = 'INBOX') =>
      expect
        .poll(() =>
          events()
            .filter((event) => event.type === type && event.mailbox === mailbox)
            .at(-1),
        )
        .toBeDefined();
    const other = await place.dovecot.client(user);
    return { user, client, session, started, events, untilEvent, other };
  }

  it('tells of a new message with its row, and of the counts', async () => {
    const { user, events, untilEvent } = await watched(['INBOX']);
    const [uid] = await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Hello there' }));
    await untilEvent('counts');
    const [arrived, counts] = events();
    expect(arrived).toMatchObject({ type: 'new', mailbox: 'INBOX', messages: [{ uid, flags: [] }], seq: 1 });
    expect(arrived).toMatchObject({ messages: [{ envelope: { subject: 'Hello there' } }] });
    expect(counts).toMatchObject({ type: 'counts', seq: 2, counts: { messages: 1, unseen: 1 } });
  });

  it('tells of a new message with the members of its row that the socket asked for', async () => {
    const { user, client, session, events, untilEvent } = await watched(['INBOX', 'Sent']);
    const fields = ['flags' as const, 'preview' as const, { headers: ['List-Id'] }];
    await client.call('watch.start', { session, mailboxes: ['Sent'], fields });
    const mail = message({ subject: 'Hello', text: 'Read me', headers: { 'List-Id': '<all.example>' } });
    await place.dovecot.deliver(user, 'Sent', mail);
    await untilEvent('new', 'Sent');
    const row = {
      flags: [],
      envelope: { subject: 'Hello' },
      preview: 'Read me',
      headers: [{ name: 'List-Id', value: '<all.example>' }],
    };
    expect(events().find(({ type }) => type === 'new')).toMatchObject({ messages: [row] });
    await place.dovecot.deliver(user, 'INBOX', mail);
    await untilEvent('new');
    const inbox = events().find(({ type, mailbox }) => type === 'new' && mailbox === 'INBOX');
    const names = inbox?.type === 'new' ? Object.keys(inbox.messages[0] ?? {}).sort() : [];
    expect(names).toEqual(['envelope', 'flags', 'internalDate', 'size', 'uid']);
  });

  it('tells which folders came, went and changed, by others and by this broker', async () => {
    const { client, session, other, user } = await watched(['INBOX']);
    const second = await RawClient.open(place.broker.url);
    onTestFinished(() => second.close());
    const again = await second.login(user);
    const begun = await second.call('watch.start', { session: again, mailboxes: [], folders: true });
    expect(begun).toMatchObject({ mailboxes: [], folders: true });
    const told = () => second.notifications.filter(({ method }) => method === 'event').map(({ params }) => params);
    // A look may be in the midst of a rename or of two calls: what counts is what the events come to.
    const folders = () => foldersAfter(told() as unknown as FoldersEvent[]);
    await other.mailboxCreate('New');
    await expect.poll(folders).toEqual({ New: true });
    await client.call('mailbox.create', { session, mailbox: 'New/Below' });
    await expect.poll(folders).toEqual({ New: true, 'New/Below': true });
    await client.call('mailbox.rename', { session, mailbox: 'New', newName: 'Old' });
    await expect.poll(folders).toEqual({ Old: true, 'Old/Below': true });
    const renamed = (told() as unknown as FoldersEvent[]).flatMap((event) => event.renamed);
    expect(renamed).toEqual([
      { from: 'New', to: 'Old' },
      { from: 'New/Below', to: 'Old/Below' },
    ]);
    await client.call('mailbox.unsubscribe', { session, mailbox: 'Old/Below' });
    await expect.poll(folders).toEqual({ Old: true, 'Old/Below': false });
    await other.mailboxDelete('Old/Below');
    await expect.poll(folders).toEqual({ Old: true });
    const { epoch, seq } = begun;
    const third = await RawClient.open(place.broker.url);
    onTestFinished(() => third.close());
    const session3 = await third.login(user);
    const resumed = await third.call('events.resume', {
      session: session3,
      epoch,
      after: seq,
      mailboxes: [],
      folders: true,
    });
    expect(resumed).toMatchObject({ resync: false, missing: [], mailboxes: [], folders: true });
    expect(resumed.replayed).toBe(told().length);
    expect(client.notifications.filter(({ params }) => params.type === 'folders')).toEqual([]);
    const before = told().length;
    expect(await second.call('watch.stop', { session: again, mailboxes: [], folders: true })).toEqual({
      mailboxes: [],
    });
    await client.call('mailbox.create', { session, mailbox: 'Later' });
    const third3 = () => third.notifications.map(({ params }) => params.created);
    await expect.poll(third3).toContainEqual(['Later']);
    expect(told()).toHaveLength(before);
  });

  it('of nothing is refused', async () => {
    const { client, session } = await watched(['INBOX']);
    const asked = client.call('watch.start', { session, mailboxes: [] });
    await expect(asked).rejects.toMatchObject({ data: { kind: 'INVALID_PARAMS', field: 'mailboxes' } });
  });

  it('tells of flags and of messages that are gone', async () => {
    const { events, untilEvent, other } = await watched(['INBOX'], (user) =>
      place.dovecot.deliver(user, 'INBOX', [message(), message(), message()]),
    );
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('2', ['\\Seen'], { uid: true });
    await untilEvent('changed');
    expect(events()[0]).toMatchObject({ type: 'changed', messages: [{ uid: 2, flags: ['\\Seen'] }] });
    await other.messageDelete('1', { uid: true });
    await untilEvent('vanished');
    expect(events().find(({ type }) => type === 'vanished')).toMatchObject({ uids: [1] });
  });

  it('tells of a folder that it does not stay with', async () => {
    const { events, untilEvent, other, user } = await watched(['INBOX', 'Sent']);
    await place.dovecot.deliver(user, 'Sent', message({ subject: 'Far away' }));
    await untilEvent('counts', 'Sent');
    await other.mailboxOpen('Sent');
    await other.messageFlagsAdd('1', ['\\Flagged'], { uid: true });
    await untilEvent('changed', 'Sent');
    expect(events().map(({ type, mailbox }) => `${mailbox} ${type}`)).toEqual([
      'Sent new',
      'Sent counts',
      'Sent changed',
    ]);
  });

  it('misses nothing and tells nothing twice when its connection is lost', async () => {
    const { user, events, untilEvent, other } = await watched(['INBOX'], (name) =>
      place.dovecot.deliver(name, 'INBOX', [message(), message()]),
    );
    place.relay.cut();
    await place.dovecot.deliver(user, 'INBOX', message());
    await other.mailboxOpen('INBOX');
    await other.messageDelete('1', { uid: true });
    await untilEvent('vanished');
    await untilEvent('new');
    // Flagged as deleted it may have been seen before it went.
    const told = events().map(({ type }) => type);
    expect(told.filter((type) => type === 'new' || type === 'vanished')).toHaveLength(2);
  });

  it('answers from memory while it lives, and says by how much it may lag', async () => {
    const { client, session } = await watched(['INBOX'], (user) => place.dovecot.deliver(user, 'INBOX', message()));
    const list = () => client.call('message.list', { session, mailbox: 'INBOX', maxAgeMs: 1 });
    await expect.poll(async () => (await list()).meta.lagMs).toBeGreaterThan(0);
    expect((await list()).meta.source).toBe('cache');
    expect((await client.call('message.list', { session, mailbox: 'INBOX' })).meta.source).toBe('validated');
  });

  it('answers nothing from memory once its connection is lost and no other can be had', async () => {
    const { client, session } = await watched(['INBOX'], (user) => place.dovecot.deliver(user, 'INBOX', message()));
    const list = () => client.call('message.list', { session, mailbox: 'INBOX', maxAgeMs: 1 });
    await expect.poll(async () => (await list()).meta.source).toBe('cache');
    const { accepted } = place.relay;
    onTestFinished(() => place.relay.thaw());
    place.relay.cut();
    place.relay.freeze();
    // It has noticed, and tries to come back.
    await expect.poll(() => place.relay.accepted).toBeGreaterThan(accepted);
    const answer = list();
    place.relay.thaw();
    expect((await answer).meta.source).not.toBe('cache');
  });

  it('gives its connection to whoever needs it more, and comes back', async () => {
    const { client, session, events, untilEvent, user } = await watched(['INBOX']);
    for (const mailbox of ['Sent', 'Trash', 'Drafts', 'INBOX', 'Junk']) {
      await client.call('message.list', { session, mailbox });
    }
    await place.dovecot.deliver(user, 'INBOX', message());
    await untilEvent('new');
    expect(events().filter(({ type }) => type === 'new')).toHaveLength(1);
  });

  it('tells that a folder is gone, and that it is another one', async () => {
    const { untilEvent, other, events } = await watched(['INBOX', 'Box'], async (user) => {
      const client = await place.dovecot.client(user);
      await client.mailboxCreate('Box');
      await client.logout();
    });
    await other.mailboxDelete('Box');
    await other.mailboxCreate('Box');
    await untilEvent('reset', 'Box');
    const reset = events().findLast(({ type }) => type === 'reset');
    expect(reset?.mailbox).toBe('Box');
  });
});

/** What events tell of folders from the first event on: whether each folder that came is subscribed. */
function foldersAfter(events: readonly FoldersEvent[]): Record<string, boolean> {
  const folders = new Map<string, boolean>();
  for (const { created, deleted, renamed, subscribed, unsubscribed } of events) {
    for (const name of created) folders.set(name, false);
    for (const { from, to } of renamed) folders.set(to, folders.get(from) ?? false);
    for (const name of [...deleted, ...renamed.map(({ from }) => from)]) folders.delete(name);
    for (const name of subscribed) folders.set(name, true);
    for (const name of unsubscribed) folders.set(name, false);
  }
  return Object.fromEntries(folders);
}
