import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { DovecotPasswords } from './dovecot-passwords.js';

export interface DovecotOptions {
  /** Every user name may log in with it; default `PASSWORD`. No blanks. */
  password?: string;
  /** How long a wrong password is answered late; default 0, which Dovecot makes half a second of. */
  authFailureDelaySeconds?: number;
  /** Wrong passwords slow their IP address down, more and more, as a stock Dovecot does; default false. */
  authPenalty?: boolean;
  /** How mail lies on the disk; default `maildir`, with folders as in the file system. */
  storage?: 'maildir' | 'sdbox' | 'mdbox';
  /** Hierarchy delimiter; default `/`. */
  separator?: '/' | '.';
  /** Prefix of the personal namespace, such as `INBOX.`; default none. */
  prefix?: string;
  /** Replaces the whole capability list after login. `+X` adds one to it. */
  imapCapability?: string;
  /** Default 200. */
  maxUserIpConnections?: number;
  /** Size that a user's mail may have, such as `100K`; default `1G`. */
  quota?: string;
  /** More lines for dovecot.conf; they come last, so they win. */
  settings?: string;
}

/**
 * For tests of watches. The kernel grants a user a hundred or so inotify instances; where none is left Dovecot looks only
 * every 30 s for what it could tell in an IDLE.
 */
export const promptIdle = 'mailbox_idle_check_interval = 1 secs';

export interface DovecotPlace {
  folder: string;
  tlsPort: number;
  plainPort: number;
}

/** Who reads and writes the mail: Debian's own `mail` when run as root, so that no user has to be made. */
export function mailOwner(): { uid: number; gid: number } {
  return process.getuid?.() === 0 ? { uid: 8, gid: 8 } : { uid: userInfo().uid, gid: userInfo().gid };
}

/** The text of a dovecot.conf that keeps everything within one folder. */
export function dovecotConf(place: DovecotPlace, options: DovecotOptions & { password: string }): string {
  const { folder, tlsPort, plainPort } = place;
  const { password, storage = 'maildir', separator = '/', prefix = '', imapCapability } = options;
  const { uid, gid } = mailOwner();
  return `
protocols = imap
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
listen = 127.0.0.1
${users()}
first_valid_uid = 1
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_verbose = yes
auth_failure_delay = ${options.authFailureDelaySeconds ?? 0} secs
mail_max_userip_connections = ${options.maxUserIpConnections ?? 200}
mail_fsync = never
mail_location = ${storage === 'maildir' ? 'maildir:~/Maildir:LAYOUT=fs' : `${storage}:~/mail`}
mail_home = ${folder}/mail/%u
mail_uid = ${uid}
mail_gid = ${gid}
mail_plugins = quota
${imapCapability === undefined ? '' : `imap_capability = ${imapCapability}`}
plugin {
  quota = count:User quota
  quota_rule = *:storage=${options.quota ?? '1G'}
  quota_rule2 = *:messages=100000
  quota_vsizes = yes
}
protocol imap {
  mail_plugins = quota imap_quota
}
${DovecotPasswords.conf(folder)}
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = ${separator}
  prefix = ${prefix}
${specialUse()}
}
${services(tlsPort, plainPort, options.authPenalty ?? false)}
${options.settings ?? ''}
`;
}

function users(): string {
  if (process.getuid?.() === 0) return 'default_internal_user = dovecot\ndefault_login_user = dovenull';
  const name = userInfo().username;
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  return `default_internal_user = ${name}\ndefault_login_user = ${name}\ndefault_internal_group = ${group}`;
}

function specialUse(): string {
  return ['Drafts', 'Sent', 'Trash', 'Junk', 'Archive']
    .map(
      (name) =>
        `  mailbox ${name} {\n    special_use = \\${name}\n    auto = ${name === 'Sent' ? 'subscribe' : 'create'}\n  }`,
    )
    .join('\n');
}

function services(tlsPort: number, plainPort: number, authPenalty: boolean): string {
  const chroot = process.getuid?.() === 0 ? '' : 'chroot =';
  return `
service anvil {
  ${chroot}
  client_limit = 4000
  ${authPenalty ? '' : 'unix_listener anvil-auth-penalty {\n    mode = 0\n  }'}
}
service auth {
  client_limit = 8000
}
service imap-login {
  ${chroot}
  service_count = 0
  client_limit = 1000
  inet_listener imap {
    address = 127.0.0.1
    port = ${plainPort}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${tlsPort}
    ssl = yes
  }
}
service imap {
  process_limit = 1024
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}`;
}
