// @ts-check
// The way with the broker: one WebSocket of the typed client, one session token.
import { createHash } from 'node:crypto';
import { password, user } from './mailbox.mjs';

/** @param {import('../../dist/src/client/index.js').Client} client */
export function throughBroker(client) {
  let mine = client.withSession('');
  let uidValidity = 0;
  return {
    signIn: async () => {
      const { session } = await client.session.open({ server: 'demo', user, auth: { password } });
      mine = client.withSession(session);
      return session;
    },
    folders: async () => (await mine.mailbox.list({ counts: true })).mailboxes,
    index: async () => {
      const page = await mine.message.list({ mailbox: 'INBOX', limit: 50 });
      uidValidity = page.uidValidity;
      return page.messages;
    },
    /** @param {number} uid */
    open: async (uid) => {
      const { messages } = await mine.message.get({ mailbox: 'INBOX', uidValidity, uids: [uid] });
      if (!messages[0]) throw new Error(`The message ${uid} is gone.`);
      return messages[0];
    },
    /** @param {number} uid @param {string} part */
    attachment: async (uid, part) => {
      const hash = createHash('sha256');
      const { body } = await mine.message.part({ mailbox: 'INBOX', uidValidity, uid, part });
      for await (const chunk of body) hash.update(chunk);
      return hash.digest('hex');
    },
    /** @param {number} uid */
    flag: async (uid) =>
      (await mine.message.flag({ mailbox: 'INBOX', uidValidity, uids: [uid], action: 'add', flags: ['\\Flagged'] }))
        .messages,
    /** @param {string} raw */
    append: (raw) => mine.message.append({ mailbox: 'Sent', content: raw, flags: ['\\Seen'] }),
  };
}
