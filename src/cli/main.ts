import { Argument, Command, CommanderError, Option } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { version } from '../runtime/version.js';
import { addActions } from './admin/commands.js';
import { rotateThere } from './admin/rotate.js';
import { addSeeCommands } from './admin/see.js';
import { AdminCommands } from './admin.js';
import { call } from './call.js';
import { completionScript, type Shell, shells } from './completion.js';
import { defaultListen } from './default-listen.js';
import {
  CliError,
  type ExitCode,
  endWhenUnread,
  exitCodes,
  exitMeanings,
  type Output,
  printed,
  standardOutput,
} from './output.js';

/** The examples that --help and the man page show. */
export const EXAMPLES = [
  'imap-broker serve --server imap.example.com',
  'imap-broker serve --config /etc/imap-broker/config.toml',
  'imap-broker check-config /etc/imap-broker/config.toml',
  'imap-broker call broker.ping --url ws://127.0.0.1:7143 --token TOKEN',
];

const codes = Object.keys(exitCodes) as Array<keyof typeof exitCodes>;
const EXIT_CODES = codes.map((name) => `${exitCodes[name]} ${exitMeanings[name]}`).join(', ');

/** Runs the command line; resolves with the exit code, never rejects. */
export async function main(args: readonly string[], output?: Output): Promise<ExitCode> {
  if (output) return await run(args, output);
  endWhenUnread();
  const exitCode = await run(args, standardOutput);
  await printed();
  return exitCode;
}

async function run(args: readonly string[], output: Output): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = commands(output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return failed(error, output);
  }
}

/**
 * All commands with their options and texts, from which help, completion and the man page are made.
 * @param end called with the exit code of a command that has run
 */
export function commands(output: Output, end: (code: ExitCode) => void): Command {
  const program = new Command('imap-broker')
    .description('Pools IMAP connections per user and offers mail operations over one WebSocket.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', `\nExamples:\n  ${EXAMPLES.join('\n  ')}`)
    .addHelpText('afterAll', `\nExit codes: ${EXIT_CODES}.`)
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err });
  program
    .command('serve')
    .description('run the broker until SIGTERM or SIGINT, which drain it')
    .addOption(
      option('--config <file>', 'TOML file; of the other flags only --log-level can be given with it')
        .env('IMAP_BROKER_CONFIG')
        .conflicts(['server', 'listen', 'starttls', 'insecureNoTls', 'ca']),
    )
    .addOption(option('--server <host[:port]>', 'IMAP server for a first try; may be repeated').argParser(appendValue))
    .addOption(option('--listen <address>', `HOST:PORT on loopback, or unix:PATH (default: ${defaultListen})`))
    .addOption(
      option('--token <token>', 'bearer token that clients must show (default: a new one)').env('IMAP_BROKER_TOKEN'),
    )
    .addOption(option('--starttls', 'STARTTLS, by default on port 143, instead of TLS on port 993'))
    .addOption(option('--insecure-no-tls', 'no TLS to the IMAP server: passwords travel in clear'))
    .addOption(option('--ca <file>', 'PEM file of the authorities to trust instead of the public ones'))
    .addOption(
      option('--log-level <level>', 'least severe messages to log').choices([
        ...['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      ]),
    )
    .action(async (options, command: Command) => {
      if (options.config !== undefined && command.getOptionValueSource('token') === 'cli') {
        throw new CliError("option '--config <file>' cannot be used with option '--token <token>'", exitCodes.usage);
      }
      const tokenFromEnvironment = command.getOptionValueSource('token') === 'env';
      // Loaded here alone: a command for a running broker is not to wait until all of the broker is loaded.
      const { serve } = await import('./serve.js');
      end(await serve({ ...options, tokenFromEnvironment }, output));
    });
  program
    .command('check-config')
    .description('check a configuration file; exit code 1 if it cannot be used')
    .argument('<file>', 'in TOML')
    .action(async (file) => {
      const { checkConfig } = await import('./check-config.js');
      end(checkConfig(file, output));
    });
  program
    .command('call')
    .description('call one method of a running broker and print its result')
    .argument('<method>', 'such as broker.ping, session.open, mailbox.list')
    .argument('[params]', 'JSON object; - reads it from standard input', '{}')
    .addOption(option('--url <url>', 'address of the broker: unix:, ws: or wss:').env('IMAP_BROKER_URL'))
    .addOption(option('--token <token>', 'bearer token').env('IMAP_BROKER_TOKEN'))
    .action(async (method, params, options) => end(await call(method, params, options, output)));
  const tokens = program.command('token').description('bearer tokens of web applications');
  tokens
    .command('create')
    .description('make a bearer token; prints the token, this once, and the line for the configuration')
    .argument('<tenant>', 'name of the web application')
    .addOption(option('--append-to <file>', 'configuration file that gets a [[tenant]] with the hash of the token'))
    .action(async (tenant, { appendTo }) => {
      const { createToken } = await import('./token.js');
      end(createToken(tenant, output, appendTo));
    });
  const keys = program.command('keys').description('keys that seal session tokens');
  const admin = new AdminCommands(output, end);
  const rotating = admin
    .add(keys, 'rotate', 'seal new tokens with a new key; the last three keys still open tokens', rotateThere)
    .addOption(
      option('--config <file>', 'rotate the keys of this configuration, whether or not a broker runs').env(
        'IMAP_BROKER_CONFIG',
      ),
    );
  rotating.action(async ({ config }) => {
    if (config === undefined) return end((await admin.run(rotating, rotateThere)) ?? exitCodes.ok);
    const { rotate } = await import('./keys.js');
    end(rotate(config, output));
  });
  addSeeCommands(admin, program);
  addActions(program, admin);
  program
    .command('completion')
    .description('print a script for a shell that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that the script is for').choices(shells))
    .action((shell: Shell) => output.out(completionScript(program, shell)));
  return program;
}

function option(flags: string, description: string): Option {
  return new Option(flags, description);
}

function appendValue(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function failed(error: unknown, output: Output): ExitCode {
  // Commander has printed its own message, which for --help and --version is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const { failureMark = '' } = output;
  if (error instanceof ConfigError) {
    for (const problem of error.problems) output.err(`${failureMark}imap-broker: ${problem}\n`);
    return exitCodes.usage;
  }
  output.err(`${failureMark}imap-broker: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failure;
}
