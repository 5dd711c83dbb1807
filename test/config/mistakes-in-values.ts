import { hashToken } from '../../src/session/tenants.js';
import { type Case, GOOD, HASH, instead, plus, TOKEN } from './mistakes.js';

export const numbers: Case[] = [
  [
    'a time with a unit in quotes',
    plus('[pool]\nidle_seconds = "5m"'),
    'line 13: pool.idle_seconds: must be a number of seconds: write idle_seconds = 300, without quotes',
  ],
  [
    'two numbers',
    plus('[pool]\nidle_seconds = "5 6"'),
    'line 13: pool.idle_seconds: must be a number of seconds, from 0.001 to 86400',
  ],
  [
    'a time with units',
    plus('[pool]\nidle_seconds = "1h 30min"'),
    'line 13: pool.idle_seconds: must be a number of seconds: write idle_seconds = 5400, without quotes',
  ],
  [
    'a time with a unit and no quotes',
    plus('[pool]\nidle_seconds = 5m # short'),
    'line 13: idle_seconds: must be a number of seconds: write idle_seconds = 300',
  ],
  [
    'a time of day',
    plus('[pool]\nidle_seconds = 00:05:00'),
    'line 13: pool.idle_seconds: must be a number of seconds, from 0.001 to 86400',
  ],
  [
    'milliseconds',
    plus('[pool]\nidle_seconds = 300000'),
    'line 13: pool.idle_seconds: must be from 0.001 to 86400, but is 300000; 300000 milliseconds are 300 seconds',
  ],
  [
    'a time that is no number',
    plus('[pool]\nidle_seconds = "never"'),
    'line 13: pool.idle_seconds: must be a number of seconds, from 0.001 to 86400',
  ],
  [
    'a size with a unit in quotes',
    plus('[cache]\nbytes = "256M"'),
    'line 13: cache.bytes: must be a number of bytes: write bytes = 268435456, without quotes',
  ],
  [
    'a size with a unit and no quotes',
    plus('[cache]\nbytes = 1.5GiB'),
    'line 13: bytes: must be a number of bytes: write bytes = 1610612736',
  ],
  [
    'a size that was meant in MiB',
    plus('[cache]\nbytes = 256'),
    'line 13: cache.bytes: must be from 1048576 to 68719476736, but is 256; 256 MiB are 268435456 bytes',
  ],
  [
    'a number in quotes',
    instead('name = "main"', 'name = "main"\nport = "993"'),
    'line 6: server[0].port: must be a whole number: write port = 993, without quotes',
  ],
  [
    'a number with a 0 in front',
    instead('name = "main"', 'name = "main"\nport = 0993'),
    'line 6: port: must be a number: write port = 993',
  ],
  [
    'a service for its port',
    instead('name = "main"', 'name = "main"\nport = "imaps"'),
    'line 6: server[0].port: must be a whole number, from 1 to 65535',
  ],
  [
    'a number beyond its bounds',
    plus('[pool]\nconnections = 100001'),
    'line 13: pool.connections: must be from 1 to 100000, but is 100001',
  ],
  [
    'a fraction',
    plus('[pool]\nconnections = 1.5'),
    'line 13: pool.connections: must be a whole number, from 1 to 100000',
  ],
  [
    'a mode in decimal',
    instead('"broker.sock"', '"broker.sock"\nmode = 660'),
    'line 3: listener[0].mode: must be an octal number: write mode = 0o660',
  ],
  [
    'a mode in decimal that would be another one in octal',
    instead('"broker.sock"', '"broker.sock"\nmode = 440 # group'),
    'line 3: listener[0].mode: is decimal, and 440 is 0o670: write mode = 0o440 or 0o670',
  ],
  [
    'a mode that no permissions are',
    instead('"broker.sock"', '"broker.sock"\nmode = 999'),
    'line 3: listener[0].mode: must be an octal number, such as 0o660',
  ],
  [
    'a mode of the operators’ socket in decimal',
    plus('[admin]\nsocket = "a"\nmode = 400'),
    'line 14: admin.mode: is decimal, and 400 is 0o620: write mode = 0o400 or 0o620',
  ],
  [
    'a mode as chmod has it',
    instead('"broker.sock"', '"broker.sock"\nmode = 0660'),
    'line 3: mode: must be an octal number: write mode = 0o660',
  ],
  [
    'a mode in quotes',
    instead('"broker.sock"', '"broker.sock"\nmode = "0660"'),
    'line 3: listener[0].mode: must be an octal number: write mode = 0o660, without quotes',
  ],
  [
    'a mode in letters',
    instead('"broker.sock"', '"broker.sock"\nmode = "rw-rw----"'),
    'line 3: listener[0].mode: must be an octal number, such as 0o660',
  ],
];

export const texts: Case[] = [
  [
    'a host with scheme and port',
    instead('imap.example.com', 'imaps://imap.example.com:993'),
    'line 6: server[0].host: must be a host name or address alone: write "imap.example.com", and port = 993 on a line of its own',
  ],
  [
    'a host with a port',
    instead('imap.example.com', 'imap.example.com:993'),
    'line 6: server[0].host: must be a host name or address alone: write "imap.example.com", and port = 993 on a line of its own',
  ],
  [
    'a host with a scheme',
    instead('imap.example.com', 'imaps://imap.example.com/'),
    'line 6: server[0].host: must be a host name or address alone: write "imap.example.com"',
  ],
  [
    'a host with user and password, which are not repeated',
    instead('imap.example.com', 'imaps://anna:hunter2@imap.example.com'),
    'line 6: server[0].host: must be a host name or address alone: write "imap.example.com"',
  ],
  [
    'an IPv6 address in brackets',
    instead('imap.example.com', '[2001:db8::1]:993'),
    'line 6: server[0].host: must be a host name or address alone: write "2001:db8::1", and port = 993 on a line of its own',
  ],
  ['no host', instead('imap.example.com', ''), 'line 6: server[0].host: is empty'],
  [
    'a host of blanks',
    instead('imap.example.com', 'imap example com'),
    'line 6: server[0].host: is neither a host name nor an IP address',
  ],
  [
    'a listener with its port',
    instead('unix = "broker.sock"', 'host = "127.0.0.1:7143"'),
    'line 2: listener[0].host: must be a host name or address alone: write "127.0.0.1", and port = 7143 on a line of its own',
  ],
  [
    'a text without quotes',
    instead('"imap.example.com"', 'imap.example.com'),
    'line 6: host: needs quotes: write host = "imap.example.com"',
  ],
  [
    'an address without quotes',
    instead('"imap.example.com"', '10.0.0.7'),
    'line 6: host: needs quotes: write host = "10.0.0.7"',
  ],
  ['a number for a text', instead('"main"', '1'), 'line 5: server[0].name: needs quotes: write "1"'],
  [
    'a quote that is missing',
    instead('"imap.example.com"', '"imap.example.com'),
    'line 6: host: lacks the closing quote',
  ],
  ['typographic quotes', instead('"imap.example.com"', '“imap.example.com”'), 'line 6: has typographic quotes: use "'],
  [
    'a path with backslashes',
    instead('"broker.sock"', '"C:\\users"'),
    'line 2: unix: has a backslash: double it, or use single quotes',
  ],
  ['a colon, as in YAML', instead('host = ', 'host: '), 'line 6: host: has a colon: write host = "imap.example.com"'],
  [
    'a colon without quotes, as in YAML',
    instead('host = "imap.example.com"', 'host: imap.example.com'),
    'line 6: host: has a colon: write host = "imap.example.com"',
  ],
  ['a table with a colon, as in YAML', `${GOOD}pool:\n  idle_seconds: 5\n`, 'line 11: pool: has a colon: write [pool]'],
  ['no =', instead('host = ', 'host '), 'line 6: there is no = between key and value'],
  ['no value', instead('"imap.example.com"', ''), 'line 6: host: has no value'],
  ['another mark of a comment', `// mail\n${GOOD}`, 'line 1: comments begin with #'],
  [
    'JSON',
    '{ "listener": [] }',
    'line 1: this is JSON, but the configuration must be TOML: docs/sample.toml is an example',
  ],
  [
    'true in quotes',
    instead('name = "main"', 'name = "main"\ncompress = "true"'),
    'line 6: server[0].compress: must be true or false, without quotes',
  ],
  [
    'yes',
    instead('name = "main"', 'name = "main"\ncompress = yes'),
    'line 6: compress: must be true or false: write compress = true',
  ],
  [
    'a text for a list',
    instead('name = "webmail"', 'name = "webmail"\nservers = "main"'),
    'line 10: tenant[0].servers: is a list: write servers = ["main"]',
  ],
  [
    'a list without quotes',
    instead('name = "webmail"', 'name = "webmail"\nservers = [main]'),
    'line 10: servers: must be a list of quoted strings: ["...", "..."]',
  ],
  [
    'a choice that has another name',
    instead('name = "main"', 'name = "main"\ntls = "ssl"'),
    'line 6: server[0].tls: must be one of "implicit", "starttls", "none"; did you mean "implicit"?',
  ],
  [
    'a level of another log',
    plus('[log]\nlevel = "warning"'),
    'line 13: log.level: must be one of "trace", "debug", "info", "warn", "error", "fatal", "silent"; did you mean "warn"?',
  ],
  [
    'an origin with a path',
    `allowed_origins = ["https://mail.example.com/"]\n${GOOD}`,
    'line 1: allowed_origins[0]: is not an origin as browsers send it: write "https://mail.example.com"',
  ],
  [
    'an origin that is a host',
    `allowed_origins = ["mail.example.com"]\n${GOOD}`,
    'line 1: allowed_origins[0]: is no origin such as "https://mail.example.com"',
  ],
];

export const secrets: Case[] = [
  [
    'a token in place of its hash',
    instead(HASH, TOKEN),
    `line 10: tenant[0].token_hashes[0]: is a token, not its hash: write "${hashToken(TOKEN)}", and create a new token if others could read this one`,
  ],
  [
    'a token in place of a list',
    instead(`["${HASH}"]`, `"${TOKEN}"`),
    'line 10: tenant[0].token_hashes: is a list: write token_hashes = ["..."]',
  ],
  [
    'a token without quotes',
    instead(`["${HASH}"]`, TOKEN),
    'line 10: token_hashes: needs quotes: write token_hashes = "..."',
  ],
  [
    'a token after a colon',
    instead(`token_hashes = ["${HASH}"]`, `token_hashes: ${TOKEN}`),
    'line 10: token_hashes: has a colon: write token_hashes = ...',
  ],
  [
    'a key that is not known, with a colon',
    `${GOOD}passphrase: hunter2\n`,
    'line 11: passphrase: has a colon: write passphrase = ...',
  ],
  [
    'a hash as sha256sum prints it',
    instead(HASH, `${HASH}  -`),
    'line 10: tenant[0].token_hashes[0]: must be the 64 digits of the hash alone',
  ],
  [
    'a hash without its last digit',
    instead(HASH, HASH.slice(1)),
    'line 10: tenant[0].token_hashes[0]: is no SHA-256 in hex: it has 63 digits, not 64',
  ],
  [
    'the hash of nothing',
    instead(HASH, hashToken('')),
    'line 10: tenant[0].token_hashes[0]: is the hash of empty input: no token reached the program that computed it',
  ],
];

export const paths: Case[] = [
  [
    'a home folder',
    plus('[session]\nstate_dir = "~/state"'),
    'line 13: session.state_dir: begins with ~, which the broker does not expand: write the whole path',
  ],
  [
    'a variable',
    instead('"broker.sock"', '"$XDG_RUNTIME_DIR/broker.sock"'),
    'line 2: listener[0].unix: has a variable, which the broker does not expand: write the whole path',
  ],
  [
    'the folder of credentials',
    plus('[session]\nkey_file = "$CREDENTIALS_DIRECTORY/session.keys"'),
    'line 13: session.key_file: names the folder of credentials: write "credential:session.keys"',
  ],
  [
    'a specifier of systemd',
    plus('[session]\nstate_dir = "%S/imap-broker"'),
    'line 13: session.state_dir: has a specifier of systemd, which the broker does not expand: write the path',
  ],
  [
    'a credential where the broker writes',
    plus('[session]\nstate_dir = "credential:state"'),
    'line 13: session.state_dir: is created by the broker and cannot be a credential: write a path',
  ],
  [
    'a URL for a path',
    instead('"broker.sock"', '"unix:/run/broker.sock"'),
    'line 2: listener[0].unix: is a URL: write "/run/broker.sock"',
  ],
  [
    'a file that is not there',
    instead('name = "main"', 'name = "main"\nca_file = "no.pem"'),
    'line 6: server[0].ca_file: cannot read FOLDER/no.pem: there is no such file',
  ],
  [
    'a folder in place of a file',
    instead('name = "main"', 'name = "main"\nca_file = "."'),
    'line 6: server[0].ca_file: cannot read FOLDER: it is a folder',
  ],
];
