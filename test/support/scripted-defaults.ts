import type { ScriptedCommand, ScriptedConnection } from './scripted-connection.js';

/** What a scripted server does with a command; may answer later, or never. */
export type ScriptedHandler = (command: ScriptedCommand, connection: ScriptedConnection) => void | Promise<void>;

export interface ScriptedManners {
  capabilities: string;
  /** The tagged answer to a login, without its tag. */
  login: string;
  /** Messages that SELECT and STATUS tell of. */
  exists: number;
}

/** How a well-behaved server with one folder, INBOX, answers; a test overrides what misbehaves. */
export function defaultHandlers(manners: ScriptedManners): Record<string, ScriptedHandler> {
  const { capabilities, login, exists } = manners;
  const uidNext = exists + 1;
  const loggedIn: ScriptedHandler = (command, connection) => connection.send(`${command.tag} ${login}`);
  const select: ScriptedHandler = (command, connection) => {
    connection.mailbox = unquote(command.args.split(' (')[0] ?? '');
    connection.send(
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.',
      `* ${exists} EXISTS`,
      '* 0 RECENT',
      '* OK [UIDVALIDITY 1] UIDs valid',
      `* OK [UIDNEXT ${uidNext}] Predicted next UID`,
      `${command.tag} OK [${command.name === 'SELECT' ? 'READ-WRITE' : 'READ-ONLY'}] ${command.name} completed`,
    );
  };
  const untagged =
    (...lines: string[]): ScriptedHandler =>
    (command, connection) =>
      connection.send(...lines, `${command.tag} OK ${command.name} completed`);
  return {
    CAPABILITY: untagged(`* CAPABILITY ${capabilities}`),
    ID: untagged('* ID ("name" "Scripted")'),
    NAMESPACE: untagged('* NAMESPACE (("" "/")) NIL NIL'),
    NOOP: untagged(),
    CHECK: untagged(),
    ENABLE: untagged('* ENABLED'),
    LOGIN: loggedIn,
    AUTHENTICATE: (command, connection) => {
      const [mechanism = '', initial] = command.args.split(' ');
      // LOGIN asks twice (name, then password), the others once or, with an initial response, not at all.
      let questions = mechanism.toUpperCase() === 'LOGIN' ? 2 : 1;
      if (initial !== undefined) questions -= 1;
      const ask = () => {
        if (questions === 0) return loggedIn(command, connection);
        questions -= 1;
        connection.nextLine((line) => (line === '*' ? connection.bad(command, 'cancelled') : ask()));
        connection.send('+ ');
      };
      return ask();
    },
    LIST: (command, connection) =>
      command.args.endsWith('""')
        ? connection.send('* LIST (\\Noselect) "/" ""', `${command.tag} OK LIST completed`)
        : connection.send('* LIST (\\HasNoChildren) "/" INBOX', `${command.tag} OK LIST completed`),
    LSUB: untagged('* LSUB (\\HasNoChildren) "/" INBOX'),
    STATUS: (command, connection) =>
      connection.send(
        `* STATUS ${command.args.replace(/ \([^)]*\)$/, '')} (MESSAGES ${exists} UIDNEXT ${uidNext} UIDVALIDITY 1 UNSEEN 0)`,
        `${command.tag} OK STATUS completed`,
      ),
    SELECT: select,
    EXAMINE: select,
    CLOSE: untagged(),
    UNSELECT: untagged(),
    SEARCH: untagged('* SEARCH'),
    'UID SEARCH': untagged('* SEARCH'),
    FETCH: untagged(),
    'UID FETCH': untagged(),
    STORE: untagged(),
    'UID STORE': untagged(),
    EXPUNGE: untagged(),
    APPEND: (command, connection) => connection.ok(command, `[APPENDUID 1 ${uidNext}] APPEND completed`),
    IDLE: (command, connection) => {
      connection.nextLine((line) =>
        line.toUpperCase() === 'DONE' ? connection.ok(command) : connection.bad(command, 'expected DONE'),
      );
      connection.send('+ idling');
    },
    LOGOUT: (command, connection) => {
      connection.send('* BYE logging out', `${command.tag} OK LOGOUT completed`);
      connection.end();
    },
  };
}

function unquote(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
}
