import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { type Client, RpcError, type SessionClient, type WatchEvent } from 'imap-broker/client';
import { endsSession } from './errors.js';

const BEAT_MS = 3000;

/** The folder that a page shows, and the `state` of the list that it shows; empty where the list has none. */
interface Shown {
  folder: string;
  since: string;
}

/**
 * What changes in the inbox and in a folder, as server-sent events, until the tab goes away. The client has one socket
 * for all watches, and its watches go on over restarts of the broker.
 */
export function live(c: Context, client: Client, mail: SessionClient, shown: Shown): Response {
  return streamSSE(c, async (stream) => {
    const over = new AbortController();
    // One event of each kind at most waits for a tab that does not read.
    const waiting = new Map<string, string>();
    let wake = () => {};
    let ended = false;
    const tell = (event: string, data = '') => {
      waiting.set(event, data);
      wake();
    };
    stream.onAbort(() => {
      over.abort();
      wake();
    });
    const beat = setInterval(async () => {
      // Each beat also shows proxies that the stream is alive.
      const here = await client.broker.ping({ timeoutMs: BEAT_MS - 1000 }).catch(() => undefined);
      tell('broker', here ? 'here' : 'away');
    }, BEAT_MS);
    const end = (error: unknown) => {
      // Where it is not the session that is over, the browser opens the stream again by itself.
      if (error instanceof RpcError && endsSession(error)) tell('ended');
      ended = true;
      wake();
    };
    const watch = mail.watch({
      mailboxes: [...new Set(['INBOX', shown.folder])],
      folders: true,
      fields: ['envelope'],
      signal: over.signal,
      onEvent: (event) => {
        const words = newMail(event);
        if (words) tell('mail', words);
        tell('changed');
      },
      onResync: () => tell('changed'),
      onEnd: end,
    });
    const begun = async () => {
      tell('broker', 'here');
      if (await isOld(mail, shown).catch(() => true)) tell('changed');
    };
    // Not waited for: without the broker it takes long to fail, and the tab is told meanwhile.
    watch.then(begun, end);
    while (!over.signal.aborted) {
      for (const [event, data] of [...waiting]) {
        waiting.delete(event);
        await stream.writeSSE({ event, data });
      }
      if (waiting.size > 0 || over.signal.aborted) continue;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    clearInterval(beat);
    over.abort();
  });
}

/** Whether the list has changed between the page and the beginning of its watch. */
async function isOld(mail: SessionClient, { folder, since }: Shown): Promise<boolean> {
  if (since === '') return true;
  const { complete, added, changed, removed } = await mail.mailbox.changes({ mailbox: folder, since });
  return !complete || added.length + changed.length + removed.length > 0;
}

function newMail(event: WatchEvent): string | undefined {
  if (event.type !== 'new' || event.mailbox !== 'INBOX') return undefined;
  const envelope = event.messages.at(-1)?.envelope;
  const sender = envelope?.from[0];
  return `${sender?.name || sender?.address || 'New message'}: ${envelope?.subject || '(no subject)'}`;
}
