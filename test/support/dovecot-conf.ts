import { userInfo } from 'node:os';
import type { DovecotOptions } from './dovecot.js';

/** The text of a dovecot.conf that keeps everything within one folder. */
export function dovecotConf(
  options: DovecotOptions & { folder: string; tlsPort: number; plainPort: number; password: string },
): string {
  const { folder, tlsPort, plainPort, password, separator = '/', prefix = '', imapCapability } = options;
  const root = process.getuid?.() === 0;
  const me = userInfo();
  const internal = root ? 'dovecot' : me.username;
  const login = root ? 'dovenull' : me.username;
  const mailUid = root ? 8 : me.uid;
  const mailGid = root ? 8 : me.gid;
  return `
protocols = imap
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
listen = 127.0.0.1
default_internal_user = ${internal}
default_login_user = ${login}
${root ? '' : `default_internal_group = ${me.gid}`}
first_valid_uid = 1
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0 secs
mail_max_userip_connections = ${options.maxUserIpConnections ?? 200}
mail_fsync = never
mail_location = maildir:~/Maildir:LAYOUT=fs
mail_home = ${folder}/mail/%u
mail_uid = ${mailUid}
mail_gid = ${mailGid}
mail_plugins = quota
${imapCapability === undefined ? '' : `imap_capability = ${imapCapability}`}
plugin {
  quota = count:User quota
  quota_rule = *:storage=1G
  quota_rule2 = *:messages=100000
  quota_vsizes = yes
}
protocol imap {
  mail_plugins = quota imap_quota
}
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${mailUid} gid=${mailGid} home=${folder}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = ${separator}
  prefix = ${prefix}
  mailbox Drafts {
    special_use = \\Drafts
    auto = create
  }
  mailbox Sent {
    special_use = \\Sent
    auto = subscribe
  }
  mailbox Trash {
    special_use = \\Trash
    auto = create
  }
  mailbox Junk {
    special_use = \\Junk
    auto = create
  }
}
service anvil {
  ${root ? '' : 'chroot ='}
}
service imap-login {
  ${root ? '' : 'chroot ='}
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
}
${options.settings ?? ''}
`;
}
