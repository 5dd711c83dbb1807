// @ts-check
import { createRequire } from 'node:module';
import { mails } from './mails.mjs';

const DAY = 86_400_000;
export const user = 'anna@example.com';
export const password = 'demo';

const plugins = ['ID', 'IDLE', 'NAMESPACE', 'SPECIAL-USE', 'UIDPLUS', 'MOVE', 'UNSELECT', 'LITERALPLUS'];

/**
 * Starts the embedded IMAP server with a mailbox for each user.
 * @param {ReadonlyMap<string, readonly import('./mails.mjs').Mail[]>} [users] what is in whose mailbox; all have the demo's password
 */
export async function startMailServer(users = new Map([[user, mails]])) {
  // It uses `new Buffer`, of which Node would warn. CommonJS and without types.
  process.noDeprecation = true;
  const require = createRequire(import.meta.url);
  const hoodiecrow = require('hoodiecrow-imap');
  const login = require('hoodiecrow-imap/lib/commands/login');
  const fetchHandlers = require('hoodiecrow-imap/lib/commands/handlers/fetch');
  // It knows one mailbox for all users. So each user has a server that does not listen, to which a connection moves at its login.
  const homes = new Map(
    [...users].map(([name, mail]) => [name, hoodiecrow({ plugins, users: {}, storage: storage(mail) })]),
  );
  const door = hoodiecrow({
    plugins,
    users: Object.fromEntries([...users.keys()].map((name) => [name, { password }])),
  });
  for (const server of [door, ...homes.values()]) server.setMaxListeners(0);
  for (const home of homes.values()) {
    // By itself it does not tell the connection that stores a message of it, where that has the folder selected.
    const { appendMessage } = home;
    home.appendMessage = (/** @type {any[]} */ ...args) => appendMessage.apply(home, args.slice(0, 4));
    // From the second message on it takes BODY.PEEK for BODY.
    home.fetchHandlers['BODY.PEEK'] = home.fetchHandlers.BODY = ranges(fetchHandlers.BODY);
  }
  const sockets = new Set();
  const counts = { connections: 0, logins: 0 };
  door.setCommandHandler(
    'LOGIN',
    (
      /** @type {any} */ connection,
      /** @type {any} */ parsed,
      /** @type {string} */ data,
      /** @type {() => void} */ done,
    ) =>
      login(connection, parsed, data, () => {
        const home = connection.state === 'Authenticated' && homes.get(parsed.attributes[0].value);
        if (home) {
          counts.logins += 1;
          door.removeListener('notify', connection._notificationCallback);
          home.on('notify', connection._notificationCallback);
          connection.server = home;
        }
        done();
      }),
  );
  door.server.on('connection', (/** @type {import('node:net').Socket} */ socket) => {
    counts.connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
  });
  await new Promise((resolve, reject) => {
    door.server.once('error', reject);
    door.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  return {
    /** @type {number} */
    port: door.server.address().port,
    /** Connections so far. */
    connections: () => counts.connections,
    /** Logins so far that succeeded. */
    logins: () => counts.logins,
    /** Puts a message into the inbox of a user. @param {string} raw @param {string} [name] */
    deliver: (raw, name = user) => void homes.get(name)?.appendMessage('INBOX', [], internalDate(new Date()), raw),
    /** The messages in the inbox of a user, as they travel. @param {string} name @returns {{ uid: number, raw: string }[]} */
    inbox: (name) => homes.get(name)?.getMailbox('INBOX').messages ?? [],
    close: () => {
      door.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * By itself the server forgets the length of a range after the first message of a FETCH, so that the others have no bytes.
 * @param {(connection: any, message: any, query: any) => unknown} handler
 */
function ranges(handler) {
  const asked = new WeakMap();
  return (/** @type {any} */ connection, /** @type {any} */ message, /** @type {any} */ query) => {
    if (!query.partial) return handler(connection, message, query);
    if (!asked.has(query)) asked.set(query, query.partial);
    query.partial = [...asked.get(query)];
    const answer = handler(connection, message, query);
    query.partial = query.partial.slice(0, 1);
    return answer;
  };
}

/** @param {readonly import('./mails.mjs').Mail[]} all */
function storage(all) {
  const at = (/** @type {string} */ name) => ({
    messages: all
      .filter((mail) => mail.folder === name)
      .sort((a, b) => b.days - a.days)
      .map((mail, index) => stored(mail, index)),
  });
  const special = (/** @type {string} */ name) => ({ ...at(name), 'special-use': `\\${name}` });
  return {
    INBOX: at('INBOX'),
    '': {
      separator: '/',
      folders: {
        Archive: special('Archive'),
        Drafts: special('Drafts'),
        Junk: special('Junk'),
        Sent: special('Sent'),
        Trash: special('Trash'),
        Work: { folders: { Invoices: at('Work/Invoices'), Launch: at('Work/Launch') } },
      },
    },
  };
}

/** @param {import('./mails.mjs').Mail} mail @param {number} index */
function stored(mail, index) {
  const date = new Date(Date.now() - mail.days * DAY - (60 - index) * 60_000);
  const flags = [mail.seen && '\\Seen', mail.flagged && '\\Flagged', mail.answered && '\\Answered'].filter(Boolean);
  return {
    raw: rawOf({ ...mail, conversation: mail.subject.replace(/^Re: /, '') }, date),
    flags,
    internaldate: internalDate(date),
  };
}

/**
 * The message as it travels (RFC 5322), in ASCII alone.
 * @param {Pick<import('./mails.mjs').Mail, 'from' | 'subject' | 'text' | 'html' | 'attachment'> & { conversation?: string }} mail
 * messages with the same `conversation` belong together
 * @param {Date} date
 */
export function rawOf(mail, date) {
  const to = mail.from.includes(user) ? 'Harbour Books <bo@harbour-books.example>' : `Anna Lindqvist <${user}>`;
  const id = Buffer.from(`${mail.subject}${date.getTime()}`).toString('hex').slice(-24);
  const headers = [
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    `From: ${mail.from.replace(/^[^<]*(?= <)/, encodeWord)}`,
    `To: ${to}`,
    `Subject: ${encodeWord(mail.subject)}`,
    `Message-ID: <${id}@mail.example>`,
    ...(mail.conversation
      ? [`References: <${Buffer.from(mail.conversation).toString('hex').slice(0, 60)}@mail.example>`]
      : []),
    'MIME-Version: 1.0',
  ];
  return `${headers.join('\r\n')}\r\n${body(mail)}\r\n`;
}

/** @param {Pick<import('./mails.mjs').Mail, 'text' | 'html' | 'attachment'>} mail @returns {string} */
function body({ text, html, attachment }) {
  const plain = leaf('text/plain; charset=utf-8', Buffer.from(text.replaceAll('\n', '\r\n')));
  const shown = html ? multipart('alternative', [plain, leaf('text/html; charset=utf-8', Buffer.from(html))]) : plain;
  if (!attachment) return shown;
  const { name, type, bytes } = attachment;
  const disposition = `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(name)}\r\n`;
  return multipart('mixed', [shown, disposition + leaf(type, bytes)]);
}

/** @param {string} type @param {Buffer} bytes */
function leaf(type, bytes) {
  const lines = bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n');
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines}`;
}

/** @param {string} kind @param {string[]} parts */
function multipart(kind, parts) {
  const boundary = `=-${kind}-=`;
  const inner = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${inner}--${boundary}--`;
}

/** RFC 2047. @param {string} text */
function encodeWord(text) {
  if (/^[ -~]*$/.test(text)) return text;
  const words = text.match(/.{1,12}/gu) ?? [];
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

/** @param {Date} date */
function internalDate(date) {
  const [, day, month, year, time] = date.toUTCString().split(' ');
  return `${day}-${month}-${year} ${time} +0000`;
}
