import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';

type Node = z.core.JSONSchema.JSONSchema;

const WIDTH = 100;

/** Tables whose presence alone changes what the broker does; a comment until it is taken out. */
const OFF = ['monitor'];
/** Tables that need something outside of the file; in comments alone. */
const ELSEWHERE = ['shared'];

/** What a file has to say, by key. */
const REQUIRED: Readonly<Record<string, string>> = {
  'listener.unix': '"/run/imap-broker/broker.sock"',
  'server.name': '"main"',
  'server.host': '"imap.example.com"',
  'tenant.name': '"webmail"',
  'tenant.token_hashes': `["${'0'.repeat(64)}"]`,
};

/** Values that hold where the schema has no default, because they follow from other keys. */
const IMPLIED: Readonly<Record<string, string>> = {
  'listener.mode': '0o660',
  'server.port': '993',
  'admin.mode': '0o600',
  'monitor.host': '"127.0.0.1"',
  'monitor.port': '7144',
};

/** What a value may look like where there is none by default. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  'listener.systemd': '"clients"',
  'listener.host': '"127.0.0.1"',
  'listener.port': '7143',
  'listener.tls_cert_file': '"/etc/imap-broker/tls.crt"',
  'listener.tls_key_file': '"credential:tls.key"',
  'listener.client_ca_file': '"/etc/imap-broker/clients.pem"',
  'server.ca_file': '"/etc/imap-broker/authorities.pem"',
  'server.servername': '"mail.example.com"',
  'tenant.token_hashes_file': '"credential:tokens"',
  'tenant.servers': '["main"]',
  'cluster.name': '"mail-1"',
  'shared.url': '"redis://127.0.0.1:6379"',
  'shared.ca_file': '"/etc/imap-broker/redis.pem"',
  'session.state_dir': '"/var/lib/imap-broker"',
  'session.key_file': '"credential:session.keys"',
  'admin.socket': '"/run/imap-broker/admin.sock"',
  'monitor.unix': '"/run/imap-broker/monitor.sock"',
  'monitor.mode': '0o660',
  'monitor.tls_cert_file': '"/etc/imap-broker/tls.crt"',
  'monitor.tls_key_file': '"credential:tls.key"',
};

const HEAD = `# Every key of the configuration of imap-broker, with its default. Written by \`npm run docs\`.
#
# Lines without # are needed: put your own values there. \`imap-broker token create NAME\` prints a token and its hash.
# A line such as #key = value, without a blank behind the first #, is a default: take the # away and change the value.
# "Example" shows a key that has no default. Lengths of time are in seconds, sizes in bytes. Paths are relative to the
# folder of this file. \`imap-broker check-config FILE\` says whether the file can be used; docs/configuration.md says more.
`;

/** docs/sample.toml, as the schema has it. */
export function sampleConfiguration(): string {
  const sections = entriesOf(z.toJSONSchema(configSchema, { io: 'input' }));
  const isTable = ([, node]: [string, Node]) => (tableOf(node).properties ?? undefined) !== undefined;
  const top = sections.filter((one) => !isTable(one)).flatMap(([key, node]) => keyLines(key, key, node));
  const tables = sections.filter(isTable).map(([key, node]) => tableLines(key, node));
  return `${[HEAD, ...top, ...tables.flat()].join('\n').trimEnd()}\n`;
}

function entriesOf(node: Node): Array<[string, Node]> {
  return Object.entries(node.properties ?? {}).filter((entry): entry is [string, Node] => typeof entry[1] === 'object');
}

/** The node that has the keys of a table. */
function tableOf(node: Node): Node {
  return typeof node.items === 'object' && !Array.isArray(node.items) ? (node.items as Node) : node;
}

function tableLines(section: string, node: Node): string[] {
  const table = tableOf(node);
  const header = node.items ? `[[${section}]]` : `[${section}]`;
  const written = ELSEWHERE.includes(section) ? `# Example: ${header}` : `${OFF.includes(section) ? '#' : ''}${header}`;
  const about = node.description ?? table.description ?? '';
  const keys = entriesOf(table).flatMap(([name, value]) => keyLines(`${section}.${name}`, name, value));
  return ['', ...comment(about), written, '', ...keys];
}

function keyLines(key: string, name: string, node: Node): string[] {
  const about = comment(node.description ?? '');
  const required = REQUIRED[key];
  if (required !== undefined) return [...about, `${name} = ${required}`, ''];
  const fallback = IMPLIED[key] ?? (node.default === undefined ? undefined : JSON.stringify(node.default));
  if (fallback !== undefined) return [...about, `#${name} = ${fallback}`, ''];
  const example = EXAMPLES[key];
  if (example === undefined) throw new Error(`${key}: has no default; give an example in test/config/sample.ts`);
  return [...about, `# Example: ${name} = ${example}`, ''];
}

/** Lines of a comment, of which none is too wide. */
function comment(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (`${line} ${word}`.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return text === '' ? [] : [...lines, line];
}
