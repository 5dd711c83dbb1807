import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namespacedOwner } from './namespaced.js';
import { type Kind, NamespacedServer } from './namespaced-server.js';

/** Debian's Cyrus IMAP as its packages set it up, with folders below `/` beside INBOX. */
const cyrus: Kind = {
  pack: 'cyrus-imapd',
  name: 'cyrus',
  prefix: '',
  separator: '/',

  /** saslauthd's protocol: user, password, service and realm, each behind its length in two octets; the answer likewise. */
  answer: ({ password }) => {
    return (request) => {
      const fields: string[] = [];
      for (let at = 0; fields.length < 4; ) {
        if (at + 2 > request.length) return undefined;
        const end = at + 2 + request.readUInt16BE(at);
        if (end > request.length) return undefined;
        fields.push(request.toString('utf8', at + 2, end));
        at = end;
      }
      const verdict = Buffer.from(fields[1] === password ? 'OK' : 'NO');
      return Buffer.concat([Buffer.from([0, verdict.length]), verdict]);
    };
  },

  async configure({ folder, etc, authFolder, plainPort }) {
    const { name, uid, gid } = namespacedOwner;
    const folders = ['lib', 'lib/socket', 'lib/proc', 'lib/db', 'lib/log', 'lib/msg', 'spool'];
    for (const each of folders) {
      await mkdir(join(folder, each));
      await chown(join(folder, each), uid, gid);
    }
    await writeFile(
      join(etc, 'imapd.conf'),
      `
configdirectory: ${folder}/lib
idlesocket: ${folder}/lib/socket/idle
defaultpartition: default
partition-default: ${folder}/spool
cyrus_user: ${name}
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: ${authFolder}/socket
autocreate_quota: 0
skiplist_unsafe: 1
`,
    );
    await writeFile(
      join(etc, 'cyrus.conf'),
      `
START {
  recover cmd="ctl_cyrusdb -r"
  idled cmd="idled"
}
SERVICES {
  imap cmd="imapd -U 200" listen="127.0.0.1:${plainPort}" prefork=1 maxchild=300
}
EVENTS {
  checkpoint cmd="ctl_cyrusdb -c" period=30
}
`,
    );
    return `exec /usr/lib/cyrus/bin/master -D -p "${folder}/pid"`;
  },
};

/** Starts a real Cyrus: see {@link NamespacedServer.start}. */
export function startCyrus(): Promise<NamespacedServer> {
  return NamespacedServer.start(cyrus);
}
