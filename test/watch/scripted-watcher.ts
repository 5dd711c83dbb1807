import { onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import { Views } from '../../src/view/views.js';
import type { AccountHandle, MailboxChange } from '../../src/watch/types.js';
import { watcherOf } from '../../src/watch/watcher.js';
import { ScriptedFolder } from '../support/scripted-folder.js';
import { type ScriptedHandler, startScriptedServer } from '../support/scripted-server.js';

const times = { heartbeatMs: 60_000, pollMs: 20, quietMs: 5, retryMs: 5, stayMs: 0 };

/** A watcher at a scripted server whose one folder goes by every name, and what it tells; both end with the test. */
export async function scriptedWatcher() {
  const folder = new ScriptedFolder(2);
  const server = await startScriptedServer({ on: folder.handlers() });
  onTestFinished(() => server.close());
  const jobs = { running: 0, mostAtOnce: 0 };
  const run: AccountHandle['run'] = async (job, work) => {
    jobs.running += 1;
    jobs.mostAtOnce = Math.max(jobs.mostAtOnce, jobs.running);
    const connection = await ImapConnection.open('1', server.server(), { user: 'alice', password: 'x' });
    job.signal.addEventListener('abort', () => connection.close());
    try {
      return await work(connection, { wanted: new AbortController().signal, extend: () => {} });
    } finally {
      connection.close();
      jobs.running -= 1;
    }
  };
  const told: MailboxChange[] = [];
  const watching = watcherOf(new Views(), times)({ key: 'alice', slots: new NewestInSlot(), run }, (change) =>
    told.push(change),
  );
  onTestFinished(() => watching.close());
  const watch = (mailboxes = ['INBOX']) => watching.watch(mailboxes, AbortSignal.timeout(10_000));
  const { SELECT } = server.on;
  /** From now on refuses each SELECT. @returns when the first one was refused */
  const refused = (code: string) =>
    new Promise<void>((resolve) => {
      server.on.SELECT = (command, connection) => {
        connection.no(command, `[${code}] Not now`);
        resolve();
      };
    });
  const accept = () => {
    server.on.SELECT = SELECT as ScriptedHandler;
  };
  return { folder, server, told, jobs, watching, watch, refused, accept };
}
