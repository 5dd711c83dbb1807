export const HASH = 'a'.repeat(64);
export const TOKEN = `ibt_${'Zz09-_'.repeat(7)}x`;

/** A configuration that can be used; a case replaces or adds lines. */
export const GOOD = `[[listener]]
unix = "broker.sock"

[[server]]
name = "main"
host = "imap.example.com"

[[tenant]]
name = "webmail"
token_hashes = ["${HASH}"]
`;
export const plus = (rest: string) => `${GOOD}\n${rest}\n`;
export const instead = (line: string, other: string) => {
  if (!GOOD.includes(line)) throw new Error(`the good configuration has no ${line}`);
  return GOOD.replace(line, other);
};

/** A mistake, and the whole of what is said of it. */
export type Case = [what: string, text: string, problem: string];

export const tables: Case[] = [
  [
    'single brackets of a table that may be there several times',
    instead('[[server]]', '[server]'),
    'line 4: server: can be given several times, so it needs double brackets: [[server]]',
  ],
  [
    'single brackets of the listener',
    instead('[[listener]]', '[listener]'),
    'line 1: listener: can be given several times, so it needs double brackets: [[listener]]',
  ],
  [
    'single brackets of the tenant',
    instead('[[tenant]]', '[tenant]'),
    'line 8: tenant: can be given several times, so it needs double brackets: [[tenant]]',
  ],
  [
    'single brackets of two servers',
    `${instead('[[server]]', '[server]')}[server]\nname = "b"\nhost = "b"\n`,
    'line 11: server: can be given several times, so each needs double brackets: [[server]]',
  ],
  [
    'single brackets, then double ones',
    `${instead('[[server]]', '[server]')}[[server]]\nname = "b"\nhost = "b"\n`,
    'line 11: server: can be given several times, so each needs double brackets: [[server]]',
  ],
  [
    'double brackets of a table that is there once',
    plus('[[pool]]\nidle_seconds = 5'),
    'line 12: pool: can be given only once, so it needs single brackets: [pool]',
  ],
  ['a table twice', plus('[pool]\n[log]\n[pool]'), 'line 14: pool: is given twice: put the keys into one table'],
  ['a key twice', plus('[pool]\nidle_seconds = 5\nidle_seconds = 6'), 'line 14: idle_seconds: is there twice'],
  [
    'a bracket that is missing',
    instead('[[server]]', '[[server]'),
    'line 4: brackets are missing or wrong: write [[server]]',
  ],
  [
    'a table that is a value',
    `log = "debug"\n${GOOD}`,
    'line 1: log: is a table: write [log], and its keys on the lines below',
  ],
  [
    'a list of names in place of tables',
    `server = ["imap.example.com"]\n${GOOD.replace(/\[\[server]]\n.*\n.*\n/, '')}`,
    'line 1: server[0]: is a table: write [[server]], and its keys on the lines below',
  ],
  ['no server', GOOD.replace(/\[\[server]]\n.*\n.*\n/, ''), 'server: is missing: at least one [[server]] is needed'],
  ['a server twice', plus('[[server]]\nname = "main"\nhost = "b"'), 'line 13: server[1].name: "main" is there twice'],
  [
    'one token of two tenants',
    plus(`[[tenant]]\nname = "crm"\ntoken_hashes = ["${HASH}"]`),
    'line 14: tenant[1].token_hashes: has a hash that tenant "webmail" has too: a token belongs to one tenant',
  ],
  [
    'two listeners at one port',
    plus('[[listener]]\nhost = "::1"\nport = 7143\n[[listener]]\nhost = "::1"\nport = 7143'),
    'line 17: listener[2].port: "::1:7143" is there twice',
  ],
  [
    'operators at the socket of web applications',
    plus('[admin]\nsocket = "broker.sock"'),
    'line 13: admin.socket: is also the address of a [[listener]]',
  ],
  [
    'the monitor at the port of a listener',
    `${instead('unix = "broker.sock"', 'host = "127.0.0.1"\nport = 7144')}[monitor]\n`,
    'line 12: monitor.port: is also the address of a [[listener]]',
  ],
  [
    'a server that no tenant can mean',
    instead('name = "webmail"', 'name = "webmail"\nservers = ["mian"]'),
    'line 10: tenant[0].servers: there is no [[server]] named "mian"; did you mean "main"?',
  ],
];

export const keys: Case[] = [
  [
    'a mistyped key',
    plus('[pool]\nidle_second = 5'),
    'line 13: pool.idle_second: unknown key; did you mean idle_seconds?',
  ],
  [
    'a key of another table',
    plus('[pool]\nlevel = "debug"'),
    'line 13: pool.level: unknown key here; it belongs under [log]',
  ],
  ['a key above its table', `level = "debug"\n${GOOD}`, 'line 1: level: unknown key here; it belongs under [log]'],
  [
    'a key of the top below a table',
    plus('[log]\nallowed_origins = []'),
    'line 13: log.allowed_origins: unknown key here; it belongs at the top of the file, above all tables',
  ],
  [
    'a password',
    instead('name = "main"', 'name = "main"\npassword = "hunter2"'),
    'line 6: server[0].password: unknown key; users and passwords do not belong here: each session.open sends them',
  ],
  [
    'a token in a key of its own',
    instead('name = "webmail"', `name = "webmail"\ntoken = "${TOKEN}"`),
    'line 10: tenant[0].token: unknown key; only the hash of a token belongs here, in token_hashes: `imap-broker token create` prints it',
  ],
  ['a key that is like no other', plus('[pool]\nzzzzzz = 1'), 'line 13: pool.zzzzzz: unknown key'],
];
