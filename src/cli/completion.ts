import type { Argument, Command, Option } from 'commander';

/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The values of an argument or option: some words, the name of a file, or, with neither, what no script can know. */
interface Values {
  words: readonly string[];
  isFile: boolean;
}

/** What a script needs to know of a command. */
interface Place {
  /** Names from the root on, with a blank between; '' is the root. */
  path: string;
  commands: Array<{ name: string; description: string }>;
  options: Array<{ flags: string[]; description: string; values: Values | undefined }>;
  /** The values of its arguments, which are all treated alike. */
  values: Values;
}

/** A script that has a shell complete commands, options and what can be chosen from, of a tree of commands. */
export function completionScript(program: Command, shell: Shell): string {
  const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return `${script(program.name(), placesOf(program))}\n`;
}

function placesOf(command: Command, path = '', around: readonly Command[] = []): Place[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const options = help.visibleOptions(command).map((option) => ({
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: option.description,
    values: option.required || option.optional ? valuesOf(option, option.flags) : undefined,
  }));
  const [first] = command.registeredArguments;
  // The built-in `help` takes the names of the commands beside it.
  const words = command.name() === 'help' ? around.filter((one) => one !== command).map((one) => one.name()) : [];
  return [
    {
      path,
      commands: below.map((one) => ({ name: one.name(), description: one.description() })),
      options,
      values: first && words.length === 0 ? valuesOf(first, `<${first.name()}>`) : { words, isFile: false },
    },
    ...below.flatMap((one) => placesOf(one, `${path} ${one.name()}`.trim(), below)),
  ];
}

function valuesOf({ argChoices }: Option | Argument, term: string): Values {
  return { words: argChoices ?? [], isFile: term.includes('<file>') };
}

/** The steps from a command to one below it; the root has no name. */
function stepsOf(places: readonly Place[], between: string): string {
  return places.flatMap(({ path, commands }) => commands.map(({ name }) => `'${path} ${name}'`)).join(between);
}

/** Finds the command that the words before the cursor mean. */
function commandLoop(words: string, places: readonly Place[]): string {
  return `for word in ${words}; do
    case "$command $word" in
      ${stepsOf(places, ' | ')}) command="\${command:+$command }$word" ;;
    esac
  done`;
}

function bashScript(name: string, places: readonly Place[]): string {
  const setting = ({ words, isFile }: Values) => `words='${words.join(' ')}' files=${isFile ? 'yes' : ''}`;
  const at = places.map(({ path, commands, options, values }) => {
    const words = [...commands.map((one) => one.name), ...values.words];
    return `    '${path}') options='${options.flatMap(({ flags }) => flags).join(' ')}' ${setting({ ...values, words })} ;;`;
  });
  const after = places.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) =>
      values ? flags.map((flag) => `    '${path} ${flag}') ${setting(values)} ;;`) : [],
    ),
  );
  return `_imap_broker() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local word command='' words='' options='' files=''
  # To bash --option=value is three words.
  [[ $before != '=' ]] || before=\${COMP_WORDS[COMP_CWORD - 2]}
  [[ $current != '=' ]] || current=''
  ${commandLoop(`"\${COMP_WORDS[@]:1:COMP_CWORD - 1}"`, places)}
  case "$command" in
${at.join('\n')}
  esac
  case "$command $before" in
${after.join('\n')}
    *) if [[ $current == -* || -z $words$files ]]; then words=$options files=''; fi ;;
  esac
  [[ -z $files ]] || compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen \${files:+-f} -W "$words" -- "$current")
}
complete -F _imap_broker ${name}`;
}

function zshScript(name: string, places: readonly Place[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const plain = (text: string) => text.replace(/[\\:[\]"`$]/g, '\\$&');
  const choices = ({ words, isFile }: Values) => (isFile ? '_files' : `(${words.join(' ')})`);
  const at = places.map(({ path, commands, options, values }) => {
    const described = commands.map((one) => `${one.name}\\:"${plain(one.description)}"`);
    const specs = options.flatMap(({ flags, description, values }) => {
      const rest = values ? `=[${plain(description)}]:value:${choices(values)}` : `[${plain(description)}]`;
      return flags.map((flag) => flag + rest);
    });
    const words = described.length > 0 ? `((${described.join(' ')}))` : choices(values);
    return `    '${path}') _arguments ${[...specs, `*:argument:${words}`].map(quoted).join(' ')} ;;`;
  });
  return `#compdef ${name}
# To be read by source, or as a file _${name} in a folder of $fpath.
_${name}() {
  local word command=''
  ${commandLoop(`"\${(@)words[2,CURRENT-1]}"`, places)}
  case "$command" in
${at.join('\n')}
  esac
}
if [[ \${funcstack[1]} == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`;
}

function fishScript(name: string, places: readonly Place[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const choices = ({ words, isFile }: Values) => (isFile ? '-F' : `-a ${quoted(words.join(' '))}`);
  const lines = places.flatMap(({ path, commands, options, values }) =>
    [
      choices(values),
      ...commands.map((one) => `-a ${one.name} -d ${quoted(one.description)}`),
      ...options.map(({ flags, description, values }) => {
        const names = flags.map((flag) => flag.replace(/^--/, '-l ').replace(/^-(?=.$)/, '-s '));
        const value = values ? `${values.isFile ? '-r' : '-x'} ${choices(values)} ` : '';
        return `${names.join(' ')} ${value}-d ${quoted(description)}`;
      }),
    ].map((rest) => `complete -c ${name} -n '__imap_broker_at ${path}' ${rest}`),
  );
  return `function __imap_broker_at
  set -l command
  for word in (commandline -opc)[2..-1]
    contains -- "$command $word" ${stepsOf(places, ' ')}
    and set command (string trim -- "$command $word")
  end
  test "$command" = "$argv"
end
complete -c ${name} -f
${lines.join('\n')}`;
}
