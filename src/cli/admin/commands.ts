import { Argument, type Command, Option } from 'commander';
import type { AdminCommands } from '../admin.js';
import { addAccountOptions } from './account-selection.js';
import { drain, graceOf } from './drain.js';
import { kickAccount, kickSession, kickSocket, revoke } from './kick.js';
import { logLevel, secondsOf } from './log-level.js';
import { pause, reconnect, resume } from './pause.js';
import { probe } from './probe.js';
import { reload } from './reload.js';

/** Adds the commands that do something to a running broker. */
export function addActions(program: Command, admin: AdminCommands): void {
  admin
    .add(program, 'drain', 'stop the broker once running requests are done, or the time is up', drain)
    .addOption(
      new Option('--grace <seconds>', 'seconds that running requests have (default: as configured)').argParser(graceOf),
    )
    .option('--wait', 'show what is left until it has stopped');
  admin.add(program, 'reload', 'read the configuration file again; requests go on', reload);
  admin
    .add(program, 'log-level', 'set what is logged, until the next reload or for a while', logLevel)
    .addArgument(
      new Argument('<level>', 'least severe messages to log').choices([
        'trace',
        'debug',
        'info',
        'warn',
        'error',
        'fatal',
        'silent',
      ]),
    )
    .addOption(
      new Option('--for <seconds>', 'seconds after which the configured level applies again').argParser(secondsOf),
    );
  admin
    .add(program, 'probe', 'connect to an IMAP server step by step; exit code 1 if a step fails', probe)
    .argument('<server>', 'its name in the configuration')
    .option('--user <name>', 'log in as this user')
    .option('--password-file <file>', 'with the password in this file');
  addAccountOptions(
    admin.add(program, 'pause', 'make requests wait, and log out connections after their current work', pause),
  );
  addAccountOptions(
    admin.add(program, 'resume', 'end the pauses of what the options name; without options, every pause', resume),
  );
  addAccountOptions(admin.add(program, 'reconnect', 'replace connections after their current work', reconnect));
  const kick = program.command('kick').description('end something at once; the application may come back');
  admin
    .add(kick, 'account', 'end the connections of an account and the requests that use them', kickAccount)
    .argument('<tenant>', 'name of the web application')
    .argument('<server>', 'name of the IMAP server')
    .argument('<user>', 'login name');
  admin.add(kick, 'socket', 'close a WebSocket', kickSocket).argument('<socket>', 'its id');
  admin.add(kick, 'session', 'end one session; its tokens are void', kickSession).argument('<session>', 'its id');
  const session = program.command('session').description('sessions of users');
  admin
    .add(session, 'revoke', 'end all sessions of a web application, or of one of its users', revoke)
    .argument('<tenant>', 'name of the web application')
    .argument('[user]', 'login name; without it all of its users');
}
