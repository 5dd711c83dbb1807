import type { Command, Option } from 'commander';
import { commands, EXAMPLES } from '../../src/cli/main.js';
import { exitCodes, exitMeanings } from '../../src/cli/output.js';
import { version } from '../../src/runtime/version.js';

/** A command, and what it is called from the root on. */
interface Entry {
  command: Command;
  name: string;
}

const program = commands({ out: () => {}, outBytes: async () => {}, err: () => {} }, () => {});
const help = program.createHelp();
const entries = leavesOf(program);
/** The options of every command that asks a running broker; `status` has no other. */
const common = ownOptions(entryOf('status').command);

/** More on exit codes than the words of --help. */
const exitDetails: Record<keyof typeof exitCodes, string> = {
  ok: '',
  failure:
    ': no process answers at the address, the broker refuses, check-config finds something wrong, a step of probe fails, or serve is stopped at once by a second signal',
  usage: ': also a token that is not accepted',
};

const fromSystemd = {
  CREDENTIALS_DIRECTORY: 'where credential:NAME of the configuration is looked for',
  LISTEN_FDS: 'sockets that are held for serve; with LISTEN_PID and LISTEN_FDNAMES',
  NOTIFY_SOCKET: 'where serve says that it is ready, stops or is alive; with WATCHDOG_USEC and WATCHDOG_PID',
};

const files = {
  '/etc/imap-broker/config.toml': 'the configuration of the service; docs/configuration.md has every key',
  '/etc/imap-broker/tokens': 'hashes of the tokens of web applications, one in a line',
  '/run/imap-broker.sock': 'the socket of web applications',
  '/run/imap-broker/admin.sock': 'the socket of operators, which commands use unless --url names another address',
  '/var/lib/imap-broker': 'keys that seal session tokens, and what was revoked',
};

/** man/imap-broker.1, which follows from the commands that there are. */
export function renderManual(): string {
  return `${[
    '.\\" Written by `npm run docs` from the commands themselves.',
    `.TH IMAP\\-BROKER 1 "" "imap\\-broker ${version}" "User Commands"`,
    '.SH NAME',
    `imap\\-broker \\- ${lowerFirst(text(program.description())).replace(/\.$/, '')}`,
    '.SH SYNOPSIS',
    ...entries.flatMap(({ command, name }, index) => [...(index > 0 ? ['.br'] : []), synopsisOf(command, name)]),
    '.SH DESCRIPTION',
    text(program.description()),
    'A web application talks to it over WebSocket, in JSON\\-RPC; docs/protocol.md has the methods.',
    'The command serve runs the broker; most other commands ask a running broker or act on it.',
    ...help.visibleOptions(program).flatMap(optionLines),
    '.SH COMMANDS',
    ...entries.flatMap(commandLines),
    '.SS Options of commands that ask a running broker',
    'Without these options a command uses the admin socket of the service, which root can open.',
    'From elsewhere the token has to be of a tenant with the scope admin.',
    ...common.flatMap(optionLines),
    '.SH ENVIRONMENT',
    ...environment().flatMap(([name, about]) => item(literal(name), about)),
    ...Object.entries(fromSystemd).flatMap(([name, about]) =>
      item(literal(name), `${sentence(about)} Set by systemd.`),
    ),
    '.SH FILES',
    ...Object.entries(files).flatMap(([name, about]) => item(`\\fI${verbatim(name)}\\fR`, sentence(about))),
    '.SH EXIT STATUS',
    ...(Object.keys(exitCodes) as Array<keyof typeof exitCodes>).flatMap((name) =>
      item(`\\fB${exitCodes[name]}\\fR`, sentence(`${exitMeanings[name]}${exitDetails[name]}`)),
    ),
    '.SH EXAMPLES',
    '.nf',
    ...EXAMPLES.map(verbatim),
    '.fi',
    '.SH SEE ALSO',
    '.BR systemctl (1),',
    '.BR journalctl (1)',
    '.PP',
    'The folder docs of the package: operations.md, configuration.md, security.md, protocol.md, metrics.md.',
  ].join('\n')}\n`;
}

function leavesOf(command: Command, path: string[] = []): Entry[] {
  if (command.commands.length === 0) return [{ command, name: path.join(' ') }];
  return command.commands.flatMap((one) => leavesOf(one, [...path, one.name()]));
}

function entryOf(name: string): Entry {
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  return entry;
}

/** Without --help, which all have. */
function ownOptions(command: Command): Option[] {
  return help.visibleOptions(command).filter(({ long }) => long !== '--help');
}

function isCommon(option: Option): boolean {
  return common.some((one) => one.flags === option.flags && one.envVar === option.envVar);
}

function synopsisOf(command: Command, name: string): string {
  const args = command.registeredArguments.map((one) => ` ${argumentTerm(one.name(), one.required)}`);
  const options = ownOptions(command).length > 0 ? ' [\\fIoptions\\fR]' : '';
  return `\\fBimap\\-broker ${verbatim(name)}\\fR${options}${args.join('')}`;
}

function argumentTerm(name: string, isRequired: boolean): string {
  return isRequired ? `\\fI${name}\\fR` : `[\\fI${name}\\fR]`;
}

function commandLines({ command, name }: Entry): string[] {
  const options = ownOptions(command);
  const own = options.filter((option) => !isCommon(option));
  const asks = options.length > own.length ? ['Takes the options of commands that ask a running broker, too.'] : [];
  return [
    `.SS ${verbatim(name)}${command.registeredArguments.map((one) => ` ${argumentTerm(one.name(), one.required)}`).join('')}`,
    `${upperFirst(text(command.description()))}.`,
    ...asks,
    ...command.registeredArguments.flatMap((one) =>
      item(`\\fI${one.name()}\\fR`, sentence(help.argumentDescription(one))),
    ),
    ...own.flatMap(optionLines),
  ];
}

function optionLines(option: Option): string[] {
  const term = verbatim(help.optionTerm(option))
    .replace(/(\\-[\w\\-]+)/g, '\\fB$1\\fR')
    .replace(/<([^>]+)>/g, '\\fI$1\\fR');
  return item(term, sentence(help.optionDescription(option)));
}

/** What variables of the environment stand for. */
function environment(): Array<[name: string, about: string]> {
  const about = new Map<string, Set<string>>();
  for (const { command, name } of entries) {
    for (const option of ownOptions(command)) {
      if (option.envVar === undefined) continue;
      const where = isCommon(option) ? 'commands that ask a running broker' : verbatim(name);
      const said = about.get(option.envVar) ?? new Set();
      about.set(option.envVar, said.add(`${verbatim(option.long ?? '')} of ${where}`));
    }
  }
  return [...about].map(([name, said]) => [name, `Stands for ${[...said].join(' and for ')}.`]);
}

function item(term: string, about: string): string[] {
  return ['.TP', term, ...(about === '' ? [] : [about])];
}

function literal(name: string): string {
  return `\\fB${verbatim(name)}\\fR`;
}

function sentence(about: string): string {
  return about === '' ? '' : `${upperFirst(text(about))}.`;
}

/** For what is typed: hyphens stay what they are when they are copied. */
function verbatim(typed: string): string {
  return typed.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
}

/** For what is read: hyphens of options alone are typed. */
function text(read: string): string {
  return read
    .replaceAll('\\', '\\e')
    .replace(/^[.']/, '\\&$&')
    .replace(/(^|[\s(])(--?)(?=\w)/g, (_, before: string, dashes: string) => before + verbatim(dashes));
}

function upperFirst(one: string): string {
  return one.charAt(0).toUpperCase() + one.slice(1);
}

function lowerFirst(one: string): string {
  return one.charAt(0).toLowerCase() + one.slice(1);
}
