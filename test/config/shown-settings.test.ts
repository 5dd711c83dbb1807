import { describe, expect, it } from 'vitest';
import { configOfFlags } from '../../src/cli/flags-config.js';
import { parseConfig } from '../../src/config/load.js';
import { hashToken } from '../../src/session/tenants.js';

const HASH = hashToken('a-token');
const FILE = `
[[listener]]
unix = "broker.sock"
[[server]]
name = "main"
host = "imap.example.com"
tls = "starttls"
[[tenant]]
name = "webmail"
token_hashes = ["${HASH}", "${HASH.replace(/./, '0')}"]
servers = ["main"]
[pool]
idle_seconds = 300
`;

describe('the settings that operators see', () => {
  const settings = parseConfig(FILE, '/').broker.settings ?? [];

  it.each([
    ['pool.idle_seconds', 300, 'file'],
    ['pool.connections', 1000, 'default'],
    ['server[0].host', 'imap.example.com', 'file'],
    ['tenant[0].servers', ['main'], 'file'],
    ['allowed_origins', [], 'default'],
    ['log.level', 'info', 'default'],
  ])('%s is %j, from %s', (key, value, source) => {
    expect(settings).toContainEqual({ key, value, source });
  });

  it('have what follows from other values too', () => {
    expect(settings).toContainEqual({ key: 'server[0].port', value: 143, source: 'default' });
    expect(settings).toContainEqual({ key: 'listener[0].mode', value: '0o660', source: 'default' });
  });

  it('have each key once, and of tokens only how many there are', () => {
    const keys = settings.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(settings).toContainEqual({ key: 'tenant[0].token_hashes', value: '2 of them', source: 'file' });
    expect(JSON.stringify(settings)).not.toContain(HASH);
  });

  it.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['redis://:pass@127.0.0.1:6379/1', 'redis://***@127.0.0.1:6379/1'],
    ['rediss://name:p@ss/word@cache.example:6380', 'rediss://***@cache.example:6380'],
  ])('have the address of the shared store without its password: %s', (url, value) => {
    const own = parseConfig(`${FILE}[session]\nstate_dir = "."\n[shared]\nurl = "${url}"\n`, '/').broker.settings ?? [];
    expect(own).toContainEqual({ key: 'shared.url', value, source: 'file' });
  });

  it('say what is from flags and what from the environment', () => {
    const sourcesOf = (flags: Parameters<typeof configOfFlags>[0]) => {
      const all = configOfFlags(flags).config.broker.settings ?? [];
      const sourceOf = (wanted: string) => all.find(({ key }) => key === wanted)?.source;
      return ['server[0].host', 'listener[0].port', 'tenant[0].token_hashes'].map(sourceOf);
    };
    const server = ['imap.example.com'];
    expect(sourcesOf({ server })).toEqual(['flag', 'default', 'default']);
    expect(sourcesOf({ server, listen: '127.0.0.1:1', token: 'a' })).toEqual(['flag', 'flag', 'flag']);
    expect(sourcesOf({ server, token: 'a', tokenFromEnvironment: true })[2]).toBe('environment');
  });
});
