import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.js';
import { tenantWith } from '../../src/session/tenant.js';
import { certificates } from '../support/certificates.js';

const HASH = 'a'.repeat(64);
const MINIMAL = `[[listener]]
unix = "broker.sock"

[[server]]
name = "main"
host = "imap.example.com"

[[tenant]]
name = "webmail"
token_hashes = ["${HASH}"]
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function problems(text: string): readonly string[] {
  try {
    parseConfig(text, folder);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('what a configuration becomes', () => {
  it('needs no more than a listener, a server and a tenant', () => {
    const { broker, logLevel, drainMs } = parseConfig(MINIMAL, '/etc/imap-broker');
    expect(broker.listeners).toEqual([{ unix: '/etc/imap-broker/broker.sock', mode: 0o660 }]);
    expect(broker.tenants).toEqual([tenantWith({ name: 'webmail', tokenHashes: [HASH] })]);
    expect(broker.servers).toMatchObject([
      { name: 'main', host: 'imap.example.com', port: 993, tls: 'implicit', compress: false, connectTimeoutMs: 10_000 },
    ]);
    expect(broker.pool).toMatchObject({ connectionsPerAccount: 3, idleMs: 300_000 });
    expect(broker.views).toEqual({ bytes: 134_217_728, bodyBytes: 262_144 });
    expect(logLevel).toBe('info');
    expect(drainMs).toBe(20_000);
  });

  it('takes every key', () => {
    const text = `allowed_origins = ["https://mail.example.com"]
[[listener]]
host = "::1"
port = 7143
[[listener]]
unix = "/run/b.sock"
mode = 0o600
[[server]]
name = "a"
host = "10.0.0.7"
port = 1143
tls = "starttls"
servername = "imap.example.com"
compress = true
connect_timeout_seconds = 1.5
login_timeout_seconds = 2
literal_bytes = 1048576
[[tenant]]
name = "t"
token_hashes = ["${HASH}", "${HASH.toUpperCase()}"]
[pool]
connections_per_account = 1
connections_per_server = 2
connections = 3
queue_per_account = 4
acquire_timeout_seconds = 5
idle_seconds = 6
max_age_seconds = 7
logout_seconds = 8
[limits]
sockets = 9
frame_bytes = 200000
pending_requests = 10
streams = 11
append_bytes = 1048577
default_timeout_seconds = 12
heartbeat_seconds = 13
socket_seconds = 16
drain_seconds = 14
[cache]
bytes = 1048576
body_bytes = 0
[session]
ttl_seconds = 15
max_age_seconds = 700
[log]
level = "warn"
`;
    const { broker, logLevel, drainMs } = parseConfig(text, '/');
    expect(broker).toMatchObject({
      allowedOrigins: ['https://mail.example.com'],
      appendBytes: 1_048_577,
      listeners: [
        { host: '::1', port: 7143 },
        { unix: '/run/b.sock', mode: 0o600 },
      ],
      pool: {
        connectionsPerAccount: 1,
        connectionsPerServer: 2,
        connections: 3,
        queuePerAccount: 4,
        acquireTimeoutMs: 5000,
        idleMs: 6000,
        maxAgeMs: 7000,
        logoutMs: 8000,
      },
      sockets: {
        sockets: 9,
        frameBytes: 200_000,
        pendingRequests: 10,
        streams: 11,
        defaultTimeoutMs: 12_000,
        heartbeatMs: 13_000,
        ageMs: 16_000,
      },
      views: { bytes: 1_048_576, bodyBytes: 0 },
      sessions: { ttlMs: 15_000, maxAgeMs: 700_000 },
    });
    expect(broker.servers[0]).toMatchObject({
      name: 'a',
      host: '10.0.0.7',
      port: 1143,
      tls: 'starttls',
      servername: 'imap.example.com',
      compress: true,
      connectTimeoutMs: 1500,
      loginTimeoutMs: 2000,
      maxLiteralBytes: 1_048_576,
    });
    expect(logLevel).toBe('warn');
    expect(drainMs).toBe(14_000);
  });

  it('has a monitor where its table is there, on loopback unless it says otherwise', () => {
    const monitorOf = (text: string) => parseConfig(`${MINIMAL}\n${text}`, '/etc/imap-broker').broker.monitor;
    expect(monitorOf('')).toBeUndefined();
    expect(monitorOf('[monitor]')).toEqual({ host: '127.0.0.1', port: 7144, tls: undefined });
    expect(monitorOf('[monitor]\nport = 9000')).toMatchObject({ host: '127.0.0.1', port: 9000 });
    expect(monitorOf('[monitor]\nunix = "monitor.sock"')).toEqual({
      unix: '/etc/imap-broker/monitor.sock',
      mode: 0o660,
    });
    expect(() => monitorOf('[monitor]\nhost = "0.0.0.0"')).toThrow(
      /line \d+: monitor\.host: is not a loopback address/,
    );
  });

  it('takes from systemd sockets by their names, and credentials where they are', () => {
    writeFileSync(join(folder, 'tokens'), `# webmail\n${HASH}\n`);
    vi.stubEnv('CREDENTIALS_DIRECTORY', folder);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const text = MINIMAL.replace('unix = "broker.sock"', 'systemd = "clients"')
      .replace(/token_hashes = .*/, 'token_hashes_file = "credential:tokens"')
      .concat('[session]\nkey_file = "credential:session.keys"\n');
    const { listeners, tenants, sessionFiles } = parseConfig(text, '/').broker;
    expect(listeners).toEqual([{ passed: 'clients', tls: undefined }]);
    expect(tenants[0]?.tokenHashes).toEqual([HASH]);
    expect(sessionFiles).toMatchObject({ keyFile: join(folder, 'session.keys'), createKeys: false });
  });

  it('builds one secure context for each server with TLS, with the authorities of its ca_file', () => {
    writeFileSync(join(folder, 'ca.pem'), certificates().ca);
    const text = `${MINIMAL}[[server]]\nname = "plain"\nhost = "localhost"\ntls = "none"\n`;
    const { servers } = parseConfig(text.replace('"main"', '"main"\nca_file = "ca.pem"'), folder).broker;
    expect(servers[0]?.secureContext).toBeDefined();
    expect(servers[1]).toMatchObject({ port: 143, secureContext: undefined });
  });
});

describe('what is refused, in one sentence with line and key', () => {
  const server = MINIMAL.replace('host = "imap', 'hots = "imap');
  it.each([
    ['an unknown key, naming the nearest', server, 'line 6: server[0].hots: unknown key; did you mean host?'],
    ['a missing key', server, 'line 4: server[0].host: is missing'],
    ['an unknown key that is like no other', `zzzzzzzz = 1\n${MINIMAL}`, 'line 1: zzzzzzzz: unknown key'],
    ['an unknown section', `${MINIMAL}[pol]\n`, 'line 11: pol: unknown key; did you mean pool?'],
    [
      'a key in kebab-case',
      `${MINIMAL}[pool]\nidle-seconds = 3\n`,
      'line 12: pool.idle-seconds: unknown key; did you mean idle_seconds?',
    ],
    [
      'a number over its limit',
      `${MINIMAL}[pool]\nidle_seconds = 1\nconnections = 100001\n`,
      'line 13: pool.connections: must be from 1 to 100000, but is 100001',
    ],
    ['another type', `${MINIMAL}[log]\nlevel = 3\n`, /^line 12: log\.level: must be one of "trace", "debug"/],
    [
      'a token instead of its hash',
      MINIMAL.replace(HASH, 'secret'),
      /^line 10: tenant\[0\]\.token_hashes\[0\]: is no SHA-256/,
    ],
    [
      'a second server of the same name',
      `${MINIMAL}[[server]]\nname = "main"\nhost = "b"\n`,
      'line 12: server[1].name: "main" is there twice',
    ],
    [
      'TCP that other machines reach',
      MINIMAL.replace('unix = "broker.sock"', 'host = "0.0.0.0"\nport = 1'),
      /^line 2: listener\[0\]\.host: is not a loopback address/,
    ],
    ['TCP without a port', MINIMAL.replace('unix = "broker.sock"', 'host = "::1"'), /listener\[0\]\.port: is missing/],
    [
      'a listener of both kinds',
      MINIMAL.replace('"broker.sock"', '"a"\nport = 1'),
      /listener\[0\]\.port: does not go with unix/,
    ],
    [
      'a listener that is systemd’s and its own',
      MINIMAL.replace('"broker.sock"', '"a"\nsystemd = "clients"'),
      /listener\[0\]\.unix: does not go with systemd/,
    ],
    ['a listener of no kind', MINIMAL.replace('unix = "broker.sock"', ''), /listener\[0\]\.host: is missing/],
    [
      'a path that no Unix socket can have',
      MINIMAL.replace('broker.sock', 'x'.repeat(108)),
      /is longer than 107 bytes/,
    ],
    ['TOML that is none', `${MINIMAL}[pool]\nidle_seconds = 1\n\\n`, /^line 13: not valid TOML: /],
    [
      'a store that is no Redis',
      `${MINIMAL}[shared]\nurl = "http://127.0.0.1"\n`,
      /shared\.url: is no redis: or rediss: URL/,
    ],
    ['a store at no port', `${MINIMAL}[shared]\nurl = "redis://a:b:c"\n`, /shared\.url: is no redis: or rediss: URL/],
    [
      'a store with an authority and without TLS',
      `${MINIMAL}[shared]\nurl = "redis://a"\nca_file = "ca.pem"\n`,
      /shared\.ca_file: goes with a rediss: URL/,
    ],
    ['a store without keys in common', `${MINIMAL}[shared]\nurl = "redis://a"\n`, /shared: needs session\.key_file/],
    [
      'a ca_file that is not there',
      MINIMAL.replace('"main"', '"main"\nca_file = "no"'),
      /^line 6: server\[0\]\.ca_file: cannot read .*no: there is no such file/,
    ],
  ])('%s', (_what, text, problem) => {
    expect(problems(text)).toContainEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem));
  });

  it('a ca_file without a certificate', () => {
    writeFileSync(join(folder, 'empty.pem'), 'nothing here\n');
    expect(problems(MINIMAL.replace('"main"', '"main"\nca_file = "empty.pem"'))).toEqual([
      'line 6: server[0].ca_file: empty.pem has no certificate in PEM form',
    ]);
  });

  it('a file of token hashes that has none, or something else', () => {
    const text = MINIMAL.replace(/token_hashes = .*/, 'token_hashes_file = "tokens"');
    const [begin, path] = ['line 10: tenant[0].token_hashes_file: ', 'tokens'];
    writeFileSync(join(folder, path), '# nobody yet\n');
    expect(problems(text)).toEqual([`${begin}tokens has no hash in it: the application cannot connect`]);
    writeFileSync(join(folder, path), 'secret\n');
    expect(problems(text)).toEqual([`${begin}tokens: line 1: is no SHA-256 in hex (64 digits)`]);
  });

  it('a credential that was not passed, or is no name', () => {
    const text = (name: string) => `${MINIMAL}[session]\nkey_file = "credential:${name}"\n`;
    expect(problems(text('keys'))).toEqual([
      expect.stringMatching(/^line 12: session\.key_file: there is no credential:keys: systemd passed no credentials/),
    ]);
    expect(problems(text('../keys'))).toEqual([
      'line 12: session.key_file: credential:../keys is no name of a credential',
    ]);
  });

  it('everything that is wrong at once', () => {
    expect(problems('')).toEqual([
      'listener: is missing: at least one [[listener]] is needed',
      'server: is missing: at least one [[server]] is needed',
      'tenant: is missing: at least one [[tenant]] is needed',
    ]);
  });

  it('a file that is not there', () => {
    expect(() => loadConfig(join(folder, 'none.toml'))).toThrow(
      `cannot read ${join(folder, 'none.toml')}: there is no such file`,
    );
  });
});
