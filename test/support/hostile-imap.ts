import { type Octets, octets } from './hostile-bytes.js';
import { fetchAnswer, type ItemValue, MOST_LINE_OCTETS, uidsIn } from './hostile-mailbox.js';
import type { ScriptedCommand, ScriptedConnection, ScriptedHandler } from './scripted-server.js';
import { type ScriptedServer, startScriptedServer } from './scripted-server.js';

/** Answers one command, with all that a handler of a hostile server needs. */
export type HostileHandler = (
  command: ScriptedCommand,
  connection: ScriptedConnection,
  server: HostileServer,
) => void | Promise<void>;

/** How a hostile server differs from one that serves the folders INBOX and Archive by the book. */
export interface Hostility {
  /** Default `none`. */
  tls?: 'none' | 'implicit' | 'starttls';
  /** Extensions beside the usual ones. */
  offers?: string;
  /** The whole list of capabilities, instead of the usual ones. */
  capabilities?: string;
  /** Messages in each folder; their uids are 1 to this. Default 3. */
  exists?: number;
  /** Sent instead of the greeting. */
  greeting?: Octets;
  /** Changes the lines of the answer to SELECT and EXAMINE. */
  select?: (lines: string[]) => string[];
  /** FETCH items of all messages that have another value than usual. */
  items?: Record<string, ItemValue>;
  /** The whole FETCH response of a message, CRLF included; undefined for the usual one. */
  row?: (uid: number) => string | Buffer | undefined;
  /** Commands that are answered otherwise. */
  on?: Record<string, HostileHandler>;
  /** Octets sent as soon as the client is in IDLE. */
  idle?: Octets;
}

const USUAL = 'IMAP4rev1 SASL-IR AUTH=PLAIN ID NAMESPACE IDLE UIDPLUS ENABLE MOVE UNSELECT';

/** An IMAP server that takes any login and attacks its client where its {@link Hostility} says so. */
export class HostileServer {
  readonly scripted: ScriptedServer;
  readonly #hostility: Hostility;
  #streaming = 0;
  #streamed = 0;
  #waiting: (() => void)[] = [];

  constructor(scripted: ScriptedServer, hostility: Hostility) {
    this.scripted = scripted;
    this.#hostility = hostility;
  }

  get port(): number {
    return this.scripted.port;
  }
  get exists(): number {
    return this.#hostility.exists ?? 3;
  }

  /** Octets that clients took of what was streamed to them, those in the buffers between included. */
  get streamed(): number {
    return this.#streamed;
  }

  /** Streams octets to a client, while {@link settled} waits for it. */
  async stream(connection: ScriptedConnection, chunks: Octets): Promise<void> {
    this.#streaming += 1;
    try {
      await connection.stream(this.#counted(chunks));
    } finally {
      this.#streaming -= 1;
      this.#changed();
    }
  }

  /** Resolves when nothing is being streamed: all was sent, or its connection is closed. */
  async settled(): Promise<void> {
    while (this.#streaming > 0) await this.#change();
  }

  /** Resolves when a command of this name was received. */
  async received(name: string): Promise<void> {
    while (!this.scripted.names().includes(name)) await this.#change();
  }

  /** Answers as a server by the book does. */
  answer(command: ScriptedCommand, connection: ScriptedConnection): void | Promise<void> {
    const handler = this.#usual()[command.name];
    return handler ? handler(command, connection) : this.scripted.answer(command, connection);
  }

  close(): Promise<void> {
    return this.scripted.close();
  }

  /** Overrides of the scripted server: the hostile answers before the usual ones. */
  handlers(): Record<string, ScriptedHandler> {
    const { on = {}, idle } = this.#hostility;
    const handlers: Record<string, ScriptedHandler> = this.#usual();
    if (idle) {
      handlers.IDLE = async (command, connection) => {
        await this.scripted.answer(command, connection);
        await this.stream(connection, idle);
      };
    }
    for (const [name, handler] of Object.entries(on)) {
      handlers[name] = (command, connection) => handler(command, connection, this);
    }
    const heard = Object.entries(handlers).map(([name, handler]): [string, ScriptedHandler] => [
      name,
      (command, connection) => {
        this.#changed();
        return handler(command, connection);
      },
    ]);
    return { IDLE: this.#heardIdle, ...Object.fromEntries(heard) };
  }

  #heardIdle: ScriptedHandler = (command, connection) => {
    this.#changed();
    return this.scripted.answer(command, connection);
  };

  *#counted(chunks: Octets): Iterable<Buffer> {
    for (const chunk of chunks()) {
      yield chunk;
      this.#streamed += chunk.length;
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #usual(): Record<string, ScriptedHandler> {
    const { exists } = this;
    const { items = {}, row, select = (lines: string[]) => lines } = this.#hostility;
    const selecting: ScriptedHandler = (command, connection) => {
      const lines = [
        '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
        '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.',
        `* ${exists} EXISTS`,
        '* 0 RECENT',
        '* OK [UIDVALIDITY 1] UIDs valid',
        `* OK [UIDNEXT ${exists + 1}] Predicted next UID`,
        '* OK [HIGHESTMODSEQ 7] Highest',
      ];
      connection.send(...select(lines), `${command.tag} OK [READ-WRITE] ${command.name} completed`);
    };
    const fetch: ScriptedHandler = async (command, connection) => {
      if (command.line.length > MOST_LINE_OCTETS) {
        connection.bad(command, 'Error in IMAP command: command line too large');
        return;
      }
      const answers = fetchAnswer(command.args, exists, items, row);
      if (!answers) return connection.bad(command);
      await this.stream(connection, answers);
      connection.ok(command);
    };
    const set = ({ args }: ScriptedCommand) => args.split(' ')[0] ?? '';
    const store: ScriptedHandler = (command, connection) => {
      const rows = uidsIn(set(command), exists).map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS (\\Seen \\Flagged))`);
      connection.send(...rows, `${command.tag} OK STORE completed`);
    };
    const hits = (keyword: string, command: ScriptedCommand, connection: ScriptedConnection) => {
      const [, wanted = '1:*'] = /\bUID (\S+)/i.exec(command.args.replace(/\bUID 1:\*/g, '')) ?? [];
      const uids = uidsIn(wanted, exists);
      const all = uids.length > 0 ? ` ALL ${uids.join(',')}` : '';
      const extended = /^RETURN/i.test(command.args) && keyword === 'SEARCH';
      connection.send(
        extended
          ? `* ESEARCH (TAG "${command.tag}") UID COUNT ${uids.length}${all}`
          : [`* ${keyword}`, ...uids].join(' '),
        `${command.tag} OK ${keyword} completed`,
      );
    };
    const copied = ({ args }: ScriptedCommand) => `COPYUID 1 ${args.split(' ')[0]} ${args.split(' ')[0]}`;
    return {
      SELECT: selecting,
      EXAMINE: selecting,
      FETCH: fetch,
      'UID FETCH': fetch,
      STORE: store,
      'UID STORE': store,
      SEARCH: (command, connection) => hits('SEARCH', command, connection),
      'UID SEARCH': (command, connection) => hits('SEARCH', command, connection),
      'UID SORT': (command, connection) => hits('SORT', command, connection),
      'UID THREAD': (command, connection) => {
        const threads = uidsIn('1:*', exists).map((uid) => `(${uid})`);
        connection.send(`* THREAD ${threads.join('')}`, `${command.tag} OK THREAD completed`);
      },
      'UID COPY': (command, connection) => connection.ok(command, `[${copied(command)}] Copied`),
      'UID MOVE': (command, connection) => {
        connection.send(`* OK [${copied(command)}] Moved`, `${command.tag} OK Done`);
      },
      'UID EXPUNGE': (command, connection) => connection.ok(command),
      GETQUOTAROOT: (command, connection) => {
        connection.send('* QUOTAROOT INBOX ""', '* QUOTA "" (STORAGE 10 512)', `${command.tag} OK Quota`);
      },
      LIST: (command, connection) => {
        if (command.args.endsWith('""')) return this.scripted.answer(command, connection);
        const folders = ['INBOX', 'Archive'].map((name) => `* LIST (\\HasNoChildren) "/" ${name}`);
        connection.send(...folders, `${command.tag} OK LIST completed`);
      },
      NOOP: (command, connection) => connection.ok(command),
      STARTTLS: (command, connection) => this.scripted.answer(command, connection),
      '*': (command, connection) => connection.ok(command),
    };
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function startHostileServer(hostility: Hostility = {}): Promise<HostileServer> {
  const { tls = 'none', exists = 3, greeting, offers = '', capabilities = `${USUAL} ${offers}`.trim() } = hostility;
  const scripted = await startScriptedServer({
    tls,
    exists,
    capabilities,
    ...(greeting && { greeting: null, onReady: (connection) => void server.stream(connection, greeting) }),
  });
  const server = new HostileServer(scripted, hostility);
  Object.assign(scripted.on, server.handlers());
  return server;
}

/** Sends octets, then the usual answer to the command. */
export function before(chunks: Octets): HostileHandler {
  return async (command, connection, server) => {
    await server.stream(connection, chunks);
    await server.answer(command, connection);
  };
}

/** Sends octets and then the tagged OK, with nothing of the usual answer. */
export function instead(chunks: Octets, tagged = 'OK Done'): HostileHandler {
  return async (command, connection, server) => {
    await server.stream(connection, chunks);
    connection.raw(octets(`${command.tag} ${tagged}\r\n`));
  };
}

/** Sends the tag, then octets: a tagged answer of any size. */
export function tagged(status: string, chunks: Octets): HostileHandler {
  return async (command, connection, server) => {
    connection.raw(octets(`${command.tag} ${status} `));
    await server.stream(connection, chunks);
    connection.raw('\r\n');
  };
}

/** Sends octets and never the tagged answer. */
export function only(chunks: Octets): HostileHandler {
  return (_command, connection, server) => server.stream(connection, chunks);
}
