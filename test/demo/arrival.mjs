// @ts-check
// New mail, told as an event.

/** Milliseconds for a message to be told. */
const PATIENCE_MS = 10_000;

/**
 * Watches the inbox, has a message delivered to it, and waits until its event comes.
 * @param {Pick<import('../../dist/src/client/index.js').SessionClient, 'watch'>} mine
 * @param {string} subject @param {() => void} deliver puts the message into the inbox, at the IMAP server itself
 * @returns {Promise<number>} milliseconds from the delivery to the event
 */
export async function arrival(mine, subject, deliver) {
  let delivered = Number.NaN;
  /** @type {(ms: number) => void} */
  let told = () => {};
  const event = new Promise((resolve) => {
    told = resolve;
  });
  const watch = await mine.watch({
    mailboxes: ['INBOX'],
    onEvent: (one) => {
      if (one.type !== 'new') return;
      if (one.messages.some(({ envelope }) => envelope?.subject === subject)) told(performance.now() - delivered);
    },
    onResync: () => {},
  });
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('No event told of the new message.')), PATIENCE_MS);
  });
  delivered = performance.now();
  deliver();
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
    await watch.close();
  }
}
