import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { namespacedOwner } from './namespaced.js';
import { type Kind, NamespacedServer } from './namespaced-server.js';

/** Debian's Courier IMAP with the settings of its package, except for how many connections it takes. */
const courier: Kind = {
  pack: 'courier-imap',
  name: 'courier',
  prefix: 'INBOX.',
  separator: '.',

  /** authdaemond's protocol: `AUTH`, the length of what follows, then service, `login`, user and password in lines. */
  answer: ({ folder, password }) => {
    return (request) => {
      const text = request.toString();
      const [head, length] = /(?:^|\n)AUTH (\d+)\n/.exec(text) ?? [];
      if (head === undefined) return text.endsWith('\n') ? Buffer.from('FAIL\n') : undefined;
      const body = text.slice(text.indexOf(head) + head.length);
      if (body.length < Number(length)) return undefined;
      const [, , user = '', given] = body.split('\n');
      if (given !== password) return Buffer.from('FAIL\n');
      return welcome(join(folder, 'mail', user), user);
    };
  },

  pathOf: (folder, user, mailbox) => join(folder, 'mail', user, 'Maildir', mailbox.replace(/^INBOX/, '')),

  async configure({ folder, authFolder, plainPort }) {
    await mkdir(join(folder, 'mail'));
    return `
mkdir -p /run/courier/authdaemon
mount --bind "${authFolder}" /run/courier/authdaemon
set -a
. /etc/courier/imapd
exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=300 -maxperip=300 $TCPDOPTS \\
  ${plainPort} /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir`;
  },
};

/** Makes the maildir of a user who has none, and tells Courier where the maildir is. */
async function welcome(home: string, user: string): Promise<Buffer> {
  const { uid, gid } = namespacedOwner;
  const maildir = join(home, 'Maildir');
  for (const path of [home, maildir, ...['cur', 'new', 'tmp'].map((name) => join(maildir, name))]) {
    if ((await mkdir(path, { recursive: true })) !== undefined) await chown(path, uid, gid);
  }
  return Buffer.from(`UID=${uid}\nGID=${gid}\nHOME=${home}\nADDRESS=${user}\nMAILDIR=${maildir}\n.\n`);
}

/** Starts a real Courier: see {@link NamespacedServer.start}. */
export function startCourier(): Promise<NamespacedServer> {
  return NamespacedServer.start(courier);
}
