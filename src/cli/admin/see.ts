import type { Command } from 'commander';
import type { AdminCommands } from '../admin.js';
import { accounts, pools } from './accounts.js';
import { config } from './config.js';
import { connections } from './connections.js';
import { withAccounts, withPaging } from './lists.js';
import { servers } from './servers.js';
import { sessions, watches } from './sessions.js';
import { sockets, streams } from './sockets.js';
import { status } from './status.js';
import { top } from './top.js';
import { trace } from './trace.js';

/** Adds the commands that show what a running broker does. */
export function addSeeCommands(admin: AdminCommands, program: Command): void {
  admin
    .add(program, 'status', 'the state of the broker, on one screen', status)
    .option('--all <urls...>', 'of several brokers, one after the other, in place of --url');
  withAccounts(admin.add(program, 'accounts', 'accounts in use, and how much of the broker they take', accounts));
  withAccounts(admin.add(program, 'pools', 'accounts in use, with the state of their connections', pools));
  withAccounts(admin.add(program, 'connections', 'IMAP connections', connections));
  withPaging(admin.add(program, 'sockets', 'WebSockets of applications and operators', sockets));
  withAccounts(admin.add(program, 'sessions', 'sessions that were used here and have not ended', sessions));
  withAccounts(admin.add(program, 'watches', 'folders that are watched', watches));
  admin.add(program, 'servers', 'IMAP servers, and whether they can be reached', servers);
  withPaging(admin.add(program, 'streams', 'downloads and uploads under way', streams));
  admin.add(program, 'config', 'the configuration in force, and where each value comes from', config);
  admin.add(
    program,
    'top',
    'the broker and its busiest accounts, live, in a terminal; a letter changes the order, q quits',
    top,
    false,
  );
  admin
    .add(program, 'trace', "one user's requests as they are answered, until Ctrl-C", trace)
    .argument('<user>', 'login name')
    .option('--server <name>', 'IMAP server, where there are several')
    .option('--tenant <name>', 'requests of this application alone');
}
