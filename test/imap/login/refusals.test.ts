import { describe, expect, it } from 'vitest';
import { type LoginRefusal, refusalOf, saysAddressFull } from '../../../src/imap/login/refusals.js';

/** Server, status, code, text; from the sources and the documentation of the servers and from reports of their users. */
const rows: Record<LoginRefusal, Array<[string, 'NO' | 'BAD' | 'BYE', string | undefined, string]>> = {
  credentials: [
    ['Dovecot', 'NO', 'AUTHENTICATIONFAILED', 'Authentication failed.'],
    ['Dovecot', 'NO', 'AUTHORIZATIONFAILED', 'Authorization failed'],
    ['Dovecot', 'NO', 'EXPIRED', 'Password expired.'],
    ['Cyrus', 'NO', undefined, 'Login failed: authentication failure'],
    ['Cyrus', 'NO', undefined, 'Login failed: user not found'],
    ['Fastmail', 'NO', 'AUTHENTICATIONFAILED', 'Incorrect username, password or access token'],
    ['Courier', 'NO', undefined, 'Login failed.'],
    ['Gmail', 'NO', 'AUTHENTICATIONFAILED', 'Invalid credentials (Failure)'],
    ['Gmail', 'NO', 'ALERT', 'Application-specific password required: https://support.google.com/accounts (Failure)'],
    ['Exchange', 'NO', undefined, 'LOGIN failed.'],
    ['Exchange', 'NO', undefined, 'AUTHENTICATE failed.'],
    ['Exchange', 'BAD', undefined, 'Command Argument Error. 12'],
    ['Yahoo', 'NO', 'AUTHENTICATIONFAILED', 'LOGIN Invalid credentials'],
    ['Yahoo', 'NO', 'AUTHENTICATIONFAILED', '(#AUTH012) Incorrect username or password.'],
    ['iCloud', 'NO', 'AUTHENTICATIONFAILED', 'Authentication Failed'],
    ['Zimbra', 'NO', undefined, 'LOGIN failed'],
    ['hMailServer', 'NO', undefined, 'Invalid user name or password.'],
    ['hMailServer', 'NO', undefined, 'Invalid user name or password. Please use full email address as user name.'],
    ['Kerio', 'NO', undefined, 'LOGIN Invalid user name or password'],
    ['MDaemon', 'NO', undefined, 'LOGIN failed, bad login name or password'],
    ['James', 'NO', undefined, 'LOGIN failed. Invalid login/password.'],
    ['163', 'NO', undefined, 'LOGIN Login error or password error'],
    // It says everything that may be the matter at once; a wrong authorisation code is what it is as a rule.
    [
      'QQ',
      'NO',
      undefined,
      'Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.',
    ],
  ],
  connections: [
    ['Dovecot', 'NO', 'LIMIT', 'Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)'],
    [
      'Dovecot',
      'NO',
      undefined,
      'Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)',
    ],
    ['Dovecot 2.0', 'NO', 'ALERT', 'Maximum number of connections from user+IP exceeded'],
    ['Cyrus', 'NO', undefined, 'Too many open connections for anna'],
    ['Cyrus', 'BYE', undefined, 'Too many open connections from 192.0.2.1'],
    ['Courier', 'NO', 'ALERT', 'Maximum connection limit reached for this user'],
    ['Gmail', 'NO', 'ALERT', 'Too many simultaneous connections. (Failure)'],
    ['Gmail', 'BYE', undefined, 'Too many simultaneous connections. (Failure)'],
    ['Exchange', 'BYE', undefined, 'Connection is closed: the user has exceeded the maximum number of sessions'],
    ['Yahoo', 'NO', 'LIMIT', 'LOGIN Too many sessions'],
    ['Stalwart', 'NO', 'LIMIT', 'Too many concurrent IMAP connections.'],
    ['any', 'NO', undefined, 'User has too many sessions'],
  ],
  throttled: [
    ['any', 'NO', undefined, 'Too many failed login attempts'],
    ['any', 'NO', 'LIMIT', 'Not now'],
    ['any', 'NO', 'AUTHENTICATIONFAILED', 'Too many failed login attempts, try again later'],
    ['any', 'NO', 'ALERT', 'Account is temporarily locked'],
    ['any', 'NO', 'UNAVAILABLE', 'Account temporarily locked out'],
    ['any', 'BYE', undefined, 'Too many login failures'],
    ['Gmail', 'NO', 'OVERQUOTA', 'Account exceeded command or bandwidth limits. (Failure)'],
    ['Gmail', 'NO', 'ALERT', 'Account exceeded command or bandwidth limits. (Failure)'],
    ['Gmail', 'NO', 'ALERT', 'Too many login attempts. Please try again later. (Failure)'],
    ['Exchange', 'BAD', undefined, 'Request is throttled. Suggested Backoff Time: 92415 milliseconds'],
    ['Yahoo', 'NO', 'LIMIT', 'LOGIN Rate limit hit.'],
    ['iCloud', 'NO', 'LIMIT', 'Too many login requests'],
    ['Zimbra', 'NO', undefined, 'login rejected for this user'],
    ['Zimbra', 'BYE', undefined, 'login rejected from this IP'],
    ['hMailServer', 'BYE', undefined, 'Too many invalid logon attempts.'],
    ['hMailServer', 'BAD', undefined, 'Goodbye'],
    ['Kerio', 'NO', undefined, 'LOGIN Account locked: too many failed login attempts'],
    ['MDaemon', 'BYE', undefined, 'Too many authentication failures, your IP is blacklisted'],
    ['Stalwart', 'BYE', undefined, 'Too many authentication requests from this IP address.'],
    ['163', 'NO', undefined, 'LOGIN Login frequency limited'],
  ],
  account: [
    ['Dovecot', 'NO', 'UNAVAILABLE', 'Account is temporarily unavailable.'],
    ['Dovecot', 'NO', 'CONTACTADMIN', 'Refer to the server log'],
    ['Dovecot', 'NO', 'OVERQUOTA', 'Quota exceeded (mailbox for user is full)'],
    ['Dovecot', 'NO', 'CORRUPTION', 'Index is broken'],
    ['Courier', 'BYE', 'ALERT', "Fatal error: Account's mailbox directory is not owned by the correct uid or gid:"],
    ['Courier', 'NO', 'ALERT', 'Account disabled'],
    [
      'Gmail',
      'NO',
      'ALERT',
      'Your account is not enabled for IMAP use. Please visit your Gmail settings page. (Failure)',
    ],
    ['Gmail', 'NO', 'ALERT', 'IMAP access is disabled for your domain. Please contact your administrator. (Failure)'],
    ['Gmail', 'NO', 'WEBALERT', 'Web login required. (Failure)'],
    ['Gmail', 'NO', 'ALERT', 'Please log in via your web browser: https://support.google.com/mail (Failure)'],
    ['Exchange', 'BAD', undefined, 'User is authenticated but not connected.'],
    ['Outlook.com', 'NO', undefined, 'Account is blocked. Login to your account via a web browser to verify it.'],
    ['Yahoo', 'NO', 'INUSE', 'LOGIN Mailbox in use'],
    ['Zimbra', 'NO', undefined, 'LOGIN failed: account is in maintenance mode: maintenance'],
    ['MDaemon', 'NO', undefined, 'LOGIN failed, account is frozen'],
    ['163', 'NO', undefined, 'LOGIN User suspended: account is suspended'],
    ['any', 'NO', 'NOPERM', 'IMAP is not part of your contract'],
  ],
  server: [
    ['Dovecot', 'NO', 'UNAVAILABLE', 'Temporary authentication failure. [mx1:2026-01-01 10:00:00]'],
    ['Dovecot', 'NO', 'SERVERBUG', 'Internal error occurred. Refer to server log for more information.'],
    ['Dovecot', 'NO', undefined, 'Internal error occurred. Refer to server log for more information.'],
    ['Dovecot', 'NO', 'PRIVACYREQUIRED', 'Plaintext authentication disallowed on non-secure (SSL/TLS) connections.'],
    ['Dovecot', 'BYE', undefined, 'Disconnected for inactivity during authentication.'],
    ['Dovecot', 'BYE', 'UNAVAILABLE', 'Server shutting down.'],
    ['Cyrus', 'NO', undefined, 'Login failed: generic failure'],
    ['Cyrus', 'NO', undefined, 'Login only available under a layer'],
    ['Courier', 'BYE', undefined, 'Temporary problem, please try again later'],
    ['Gmail', 'NO', 'ALERT', 'Lookup failed 25if5968 (Failure)'],
    ['Gmail', 'BYE', undefined, 'Temporary System Error'],
    ['Exchange', 'NO', undefined, 'Server Unavailable. 15'],
    ['Exchange', 'BYE', undefined, 'Connection is closed. 13'],
    ['Yahoo', 'NO', 'SERVERBUG', 'LOGIN Server error - Please try again later'],
    ['Yahoo', 'NO', 'UNAVAILABLE', 'LOGIN Server error'],
    ['iCloud', 'NO', 'UNAVAILABLE', 'Service temporarily unavailable'],
    ['Zimbra', 'BYE', undefined, 'Zimbra IMAP4rev1 server terminating connection'],
    ['163', 'NO', undefined, 'LOGIN system busy'],
    ['any', 'BYE', undefined, ''],
  ],
};

describe.each(Object.entries(rows) as Array<[LoginRefusal, (typeof rows)[LoginRefusal]]>)(
  'a login that is refused, of the class %s',
  (refusal, texts) => {
    it.each(texts)('%s: %s [%s] %s', (_server, status, code, text) => {
      expect(refusalOf({ status, code, text })).toBe(refusal);
      expect(refusalOf({ status, code: code?.toLowerCase(), text: text.toUpperCase() })).toBe(refusal);
    });
  },
);

describe('a connection that is ended in place of a greeting', () => {
  it.each(['Too many connections from your IP', 'Maximum number of connections reached', 'connection limit exceeded'])(
    'says that the address is full: %s',
    (text) => expect(saysAddressFull(text)).toBe(true),
  );

  it.each(['', 'Server shutting down', 'Access denied', 'System maintenance'])('says something else: %s', (text) =>
    expect(saysAddressFull(text)).toBe(false),
  );
});
