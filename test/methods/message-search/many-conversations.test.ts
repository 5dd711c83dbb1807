import { describe, expect, it, onTestFinished } from 'vitest';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { serveMail } from '../../support/running-broker.js';

const MESSAGES = 3_000;
/** Messages of a conversation. */
const EACH = 4;
/** What one turn of the event loop may take of the processor, in milliseconds; what other tests take does not count. */
const LONGEST_TURN_MS = 150;

const id = (index: number) => `<m${index}@many>`;

/** Message `index`: each fourth begins a conversation, the others answer it. */
function mailOf(index: number): string {
  const root = index - (index % EACH);
  const date = new Date(Date.UTC(2024, 0, 1, 0, index)).toUTCString().replace('GMT', '+0000');
  const references = index === root ? '' : `References: ${id(root)}\r\n`;
  return `From: a@example.com\r\nSubject: Conversation ${root}\r\nDate: ${date}\r\nMessage-ID: ${id(index)}\r\n${references}\r\nText.\r\n`;
}

describe('conversations of a folder with thousands of messages', () => {
  it.each(['server', 'broker'] as const)(
    'threaded by the %s, in turns, and once',
    async (by) => {
      const dovecot = await Dovecot.start(by === 'server' ? {} : { imapCapability: 'IMAP4rev1 SASL-IR ID' });
      const user = newUser('many');
      // Before there is a broker in this process: to write the files takes seconds.
      await dovecot.bulkDeliver(user, 'INBOX', MESSAGES, mailOf);
      const { client, stop } = await serveMail(dovecot);
      onTestFinished(stop);
      const session = await client.login(user);
      const ask = (offset: number) =>
        client.call('message.threads', {
          session,
          mailbox: 'INBOX',
          limit: 20,
          offset,
          explain: true,
          timeoutMs: 120_000,
        });
      let [longest, last] = [0, process.cpuUsage()];
      const tick = setInterval(() => {
        const { user: own, system } = process.cpuUsage(last);
        longest = Math.max(longest, (own + system) / 1000);
        last = process.cpuUsage();
      }, 1);
      const first = await ask(0);
      clearInterval(tick);
      expect(first).toMatchObject({ total: MESSAGES / EACH, threadedBy: by });
      expect(first.threads.map(({ count, unseen }) => [count, unseen])).toEqual(Array(20).fill([EACH, EACH]));
      expect(first.threads[0]?.messages.map(({ uid }) => uid)).toEqual([2_997, 2_998, 2_999, 3_000]);
      expect(longest).toBeLessThan(LONGEST_TURN_MS);
      // Conversations of messages whose flags are not among those that are known.
      const far = await ask(600);
      expect(far.threads.map(({ count, unseen }) => [count, unseen])).toEqual(Array(20).fill([EACH, EACH]));
      const other = await dovecot.client(user);
      await other.mailboxOpen('INBOX');
      await other.messageFlagsAdd(String(far.threads[0]?.messages[0]?.uid), ['\\Seen'], { uid: true });
      await other.logout();
      const again = await ask(600);
      expect(again.threads[0]).toMatchObject({ count: EACH, unseen: EACH - 1 });
      // Nothing is threaded anew. Without uids in what the server tells, flags that are not among the known are asked for again.
      const commands = again.explain?.commands.filter((command) => command !== 'STATUS');
      expect(commands).toEqual(by === 'server' ? ['NOOP'] : ['NOOP', 'UID FETCH', 'UID SEARCH']);
    },
    180_000,
  );
});
