const EXAMPLE = 'ws://127.0.0.1:7143';

/**
 * The address of a broker, which is looked at before anything is sent.
 * @param name of the option or variable that has it
 * @throws TypeError with a sentence that says what is wrong, and never with a password in it
 */
export function checkedUrl(url: unknown, name: string): string {
  if (typeof url !== 'string') throw new TypeError(`${name} must be a string such as ${EXAMPLE}, not ${kindOf(url)}.`);
  const wrong = complaintOf(url);
  if (wrong !== undefined) throw new TypeError(`${name} ${wrong}`);
  return url;
}

/**
 * The bearer token.
 * @param name of the option or variable that has it
 * @throws TypeError with a sentence that says what is wrong, and never with the token in it
 */
export function checkedToken(token: unknown, name: string): string {
  if (typeof token !== 'string') throw new TypeError(`${name} must be a string, not ${kindOf(token)}.`);
  if (token === '') throw new TypeError(`${name} is empty.`);
  if (/^[!-~\u00a1-\u00ff]+$/.test(token)) return token;
  const why = 'has a blank, a line end or another character that no header carries';
  throw new TypeError(`${name} ${why}: trim what was read from a file.`);
}

/** What is wrong with an address, as the rest of a sentence; undefined where nothing is wrong. */
function complaintOf(url: string): string | undefined {
  if (url === '') return `is empty; an address is for instance ${EXAMPLE}.`;
  if (/^\s|\p{Cc}|\s$/u.test(url)) return 'has a blank or a line end around it: trim what was read from a file.';
  if (url.startsWith('unix:')) {
    return /^unix:[^?]/.test(url) ? undefined : 'names no file: an address is for instance unix:/run/imap-broker.sock.';
  }
  if (/^[^?#]*:\/\/[^/?#]*@/.test(url)) return 'has a user name or a password, which a broker does not take.';
  const web = /^http(s?):\/\//i.exec(url);
  if (web) return `${quoted(url)} is for HTTP, and a broker speaks WebSocket: write ws${web[1]}:// in its place.`;
  if (url.startsWith('/')) return `${quoted(url)} is a path: write unix:${url} for a Unix socket.`;
  if (!/^wss?:/i.test(url)) return `${quoted(url)} does not begin with ws://, wss:// or unix:, such as ${EXAMPLE}.`;
  if (!URL.canParse(url)) return `${quoted(url)} is no address; one is for instance ${EXAMPLE}.`;
  if (new URL(url).hash !== '') return `${quoted(url)} has a #, which no address of a broker has.`;
  return undefined;
}

function quoted(url: string): string {
  return JSON.stringify(url.length > 200 ? `${url.slice(0, 200)}…` : url);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof URL) return 'a URL object: write url.href';
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}
