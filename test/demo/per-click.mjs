// @ts-check
// The way without a broker: each click connects, logs in, selects, asks one thing and logs out.
import { createHash } from 'node:crypto';
import { ImapFlow } from 'imapflow';
import { password, user } from './mailbox.mjs';

/** @param {number} port */
export function perClick(port) {
  /** @template T @param {(flow: ImapFlow) => Promise<T>} work @returns {Promise<T>} */
  const click = async (work) => {
    const flow = new ImapFlow({
      host: '127.0.0.1',
      port,
      secure: false,
      doSTARTTLS: false,
      auth: { user, pass: password },
      logger: false,
    });
    flow.on('error', () => {});
    await flow.connect();
    try {
      return await work(flow);
    } finally {
      await flow.logout();
    }
  };
  return {
    signIn: () => click(async () => undefined),
    folders: () => click(async (flow) => (await flow.list({ statusQuery: { messages: true, unseen: true } })).length),
    index: () =>
      click(async (flow) => {
        const { exists } = await flow.mailboxOpen('INBOX');
        const range = `${Math.max(1, exists - 49)}:*`;
        return (await flow.fetchAll(range, { uid: true, envelope: true, flags: true, size: true, internalDate: true }))
          .length;
      }),
    /** @param {number} uid */
    open: (uid) =>
      click(async (flow) => {
        await flow.mailboxOpen('INBOX');
        const row = await flow.fetchOne(`${uid}`, { envelope: true, flags: true, bodyStructure: true }, { uid: true });
        if (!row) throw new Error(`The message ${uid} is gone.`);
        for (const part of textParts(row.bodyStructure)) {
          const { content } = await flow.download(`${uid}`, part, { uid: true });
          for await (const _chunk of content) {
            // Read to the end.
          }
        }
      }),
    /** @param {number} uid @param {string} part */
    attachment: (uid, part) =>
      click(async (flow) => {
        await flow.mailboxOpen('INBOX');
        const hash = createHash('sha256');
        const { content } = await flow.download(`${uid}`, part, { uid: true, chunkSize: 512 * 1024 });
        for await (const chunk of content) hash.update(chunk);
        return hash.digest('hex');
      }),
    /** @param {number} uid */
    flag: (uid) =>
      click(async (flow) => {
        await flow.mailboxOpen('INBOX');
        await flow.messageFlagsAdd(`${uid}`, ['\\Flagged'], { uid: true });
      }),
    /** @param {string} raw */
    append: (raw) => click(async (flow) => void (await flow.append('Sent', raw, ['\\Seen']))),
  };
}

/** @param {import('imapflow').MessageStructureObject | undefined} node @returns {string[]} */
function textParts(node) {
  if (!node) return [];
  if (node.childNodes) return node.childNodes.flatMap(textParts);
  return node.type.startsWith('text/') && node.disposition !== 'attachment' ? [node.part ?? '1'] : [];
}
