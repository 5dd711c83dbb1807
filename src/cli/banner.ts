import type { Look } from '../broker/look.js';
import type { Config } from '../config/load.js';
import { version } from '../runtime/version.js';
import type { ServeFlags } from './flags-config.js';

type Server = Config['broker']['servers'][number];

/** Days before the end of a certificate from which on the banner counts them. */
const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * What `serve` prints for a person who tries it without a configuration: the servers as they were found, the token where
 * it is new, and what to type next.
 */
export function banner(
  { broker: { servers } }: Config,
  looks: readonly Look[],
  flags: ServeFlags,
  url: string,
  token: string | undefined,
): string {
  const [first] = servers;
  const params = { server: first?.name, user: 'USER', auth: { password: 'PASSWORD' } };
  const found = servers.flatMap((server, index) => serverLines(server, looks[index], flags));
  const later = looks.some(({ obstacle }) => obstacle !== undefined)
    ? ['The broker runs anyway and tries again when a user logs in.']
    : [];
  return `
imap-broker ${version} listens on ${url}
${[...found, ...later].join('\n')}
${token === undefined ? '' : `Bearer token, made for this run alone: ${token}\n`}
To try it, in another terminal:
  export IMAP_BROKER_URL=${url} IMAP_BROKER_TOKEN=${token ?? '...'}
  npx imap-broker call session.open '${JSON.stringify(params)}'
`;
}

const SECURITY = { implicit: 'with TLS', starttls: 'with STARTTLS', none: 'WITHOUT TLS: passwords travel in clear' };

function serverLines(server: Server, look: Look | undefined, flags: ServeFlags): string[] {
  const name = `${server.name}, port ${server.port}, ${SECURITY[server.tls]}`;
  if (look === undefined) return [name];
  if (look.obstacle === undefined) return [`${name}: reached${validity(look.certificateUntil)}`];
  return [`${name}: cannot be used`, ...troubleLines(server, look, flags).map((line) => `  ${line}`)];
}

function validity(until: Date | undefined): string {
  if (until === undefined) return '';
  const days = Math.floor((until.getTime() - Date.now()) / DAY_MS);
  const soon = days < SOON_DAYS ? `, in ${days} day${days === 1 ? '' : 's'}` : '';
  return `, certificate valid until ${until.toISOString().slice(0, 10)}${soon}`;
}

/** What is wrong, and which flag helps. */
function troubleLines(server: Server, look: Look, { ca }: ServeFlags): string[] {
  const { host, port, tls } = server;
  const starttls = tls === 'starttls' ? ' -starttls imap' : '';
  const shown = `openssl s_client -connect ${host.includes(':') ? `[${host}]` : host}:${port}${starttls} </dev/null`;
  const instead = look.instead === undefined ? [] : [wayLine(server, look.instead)];
  switch (look.obstacle) {
    case 'self-signed':
      if (ca !== undefined) return ['Its certificate is self-signed, and not the one in the --ca file.'];
      return [
        'Its certificate is self-signed: use --ca FILE with that certificate. To get it:',
        `${shown} | openssl x509 > FILE`,
      ];
    case 'unknown-authority':
      if (ca !== undefined) return ['Its certificate was issued by another authority than the one in the --ca file.'];
      return [
        'Its certificate was issued by an authority that is not known here: use --ca FILE with the certificate of that authority.',
      ];
    case 'wrong-name':
      return wrongName(server, look.detail);
    case 'expired':
      return ['Its certificate has expired: no flag helps, the server needs a new one.'];
    case 'not-yet-valid':
      return ['Its certificate is not valid yet: is the clock of this machine right?'];
    case 'no-tls':
      return ['The port does not begin with TLS.', ...instead];
    case 'no-starttls':
      return ['The server does not offer STARTTLS.', ...instead];
    case 'tls-first':
      return ['The server does not greet.', ...instead];
    case 'refused':
      return ['No process listens there (ECONNREFUSED).', ...instead];
    case 'silent':
      return ['There is no answer: a firewall may drop what is sent there.', ...instead];
    case 'no-such-host':
      return ['There is no host of this name (ENOTFOUND).'];
    default:
      return [printable(look.detail)];
  }
}

/** The flags for another way to a server. */
function wayLine(server: Server, { port, tls }: Look['instead'] & object): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const [where, address] =
    port === server.port ? ['', ''] : [` on port ${port}`, tls === 'implicit' ? '' : `--server ${host}:${port} `];
  if (tls === 'implicit') return `An IMAP server answers${where} with TLS: leave ${FLAGS[server.tls]} out.`;
  const how = tls === 'starttls' ? 'with STARTTLS' : 'without TLS';
  const risk = tls === 'none' ? ', which sends passwords in clear' : '';
  return `An IMAP server answers${where} ${how}: use ${address}${FLAGS[tls]}${risk}.`;
}

/** The flag for each kind of security; TLS needs none. */
const FLAGS = { implicit: '', starttls: '--starttls', none: '--insecure-no-tls' };

/** Names are in Node's message, such as `... altnames: Host: 127.0.0.1. is not in the cert's altnames: DNS:localhost`. */
function wrongName({ host }: Server, detail: string): string[] {
  const names = [...detail.matchAll(/DNS:([^,\s)]+)/g)].map(([, name]) => printable(name ?? ''));
  if (names.length === 0) return [`Its certificate is not for ${host}: use --server with the name in the certificate.`];
  const [first = ''] = names;
  const flag = first.startsWith('*') ? 'one of these names' : first;
  return [`Its certificate is for ${names.join(', ')}, not for ${host}: use --server ${flag}`];
}

/** What a server says may hold anything, but nothing that moves the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
