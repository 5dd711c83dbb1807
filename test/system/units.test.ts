import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/output.js';
import { parseConfig } from '../../src/config/load.js';
import { builtProgram } from '../cli/built.js';

const shipped = fileURLToPath(new URL('../../systemd/', import.meta.url));
const text = (name: string) => readFileSync(join(shipped, name), 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-units-'));
  // It wants to see the program, which is installed nowhere here.
  const start = `ExecStart=${process.execPath} ${builtProgram()} `;
  for (const name of readdirSync(shipped)) {
    writeFileSync(join(folder, name), text(name).replace('ExecStart=imap-broker ', start));
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function analyze(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { cwd: folder, encoding: 'utf8' });
  return { status, printed: stdout + stderr };
}

describe('the shipped units', () => {
  it.each([
    ['imap-broker.service', 'imap-broker.socket'],
    ['imap-broker@.service', 'imap-broker@.socket'],
  ])('%s and %s have nothing that systemd complains of', (...units) => {
    const paths = units.map((unit) => join(folder, unit));
    expect(analyze('verify', '--recursive-errors=no', ...paths)).toEqual({ status: 0, printed: '' });
  });

  it.each(['imap-broker.service', 'imap-broker@.service'])('%s is exposed to 1.5 of 10 at most', (unit) => {
    const { printed } = analyze('security', '--offline=true', join(folder, unit));
    const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(printed) ?? [];
    expect(Number(exposure), printed).toBeLessThanOrEqual(1.5);
  });

  it.each(['imap-broker.service', 'imap-broker@.service'])(
    '%s starts no broker again that cannot use its file',
    (unit) => {
      expect(text(unit)).toMatch(new RegExp(`^RestartPreventExitStatus=${exitCodes.usage}$`, 'm'));
    },
  );

  it.each(['service', 'socket'])('imap-broker@.%s is the same as that for one broker, but for the names', (kind) => {
    const one = text(`imap-broker.${kind}`).split('\n');
    const several = text(`imap-broker@.${kind}`)
      .replace(`systemctl edit imap-broker@.${kind}`, `systemctl edit imap-broker.${kind}`)
      .replace('/etc/imap-broker/%i.toml', '/etc/imap-broker/config.toml')
      .replaceAll('/etc/imap-broker/%i.', '/etc/imap-broker/')
      .replaceAll(/imap-broker[@ -]%i/g, 'imap-broker')
      .split('\n');
    const words = (line: string) => (line.startsWith('#') ? '#' : line);
    expect(several.map(words)).toEqual(one.map(words));
  });

  it('have an example configuration that can be used', () => {
    writeFileSync(join(folder, 'tokens'), 'a'.repeat(64));
    process.env.CREDENTIALS_DIRECTORY = folder;
    const { listeners, sessionFiles } = parseConfig(text('config.toml'), '/etc/imap-broker').broker;
    delete process.env.CREDENTIALS_DIRECTORY;
    expect(listeners[0]).toEqual({ passed: 'clients', tls: undefined });
    expect(sessionFiles?.keyFile).toBe('/var/lib/imap-broker/session.keys');
  });

  it('have an example for one of several brokers, which takes the socket that its unit brings and one for HAProxy', () => {
    process.env.CREDENTIALS_DIRECTORY = folder;
    const example = readFileSync(new URL('../../scale/broker.toml', import.meta.url), 'utf8');
    const { brokers, broker } = parseConfig(example, '/etc/imap-broker');
    delete process.env.CREDENTIALS_DIRECTORY;
    expect(broker.listeners[0]).toMatchObject({ host: '127.0.0.1', port: 7143 });
    expect(broker.listeners[1]).toMatchObject({ passed: 'clients' });
    const state = /^StateDirectory=(.*)$/m.exec(text('imap-broker@.service'))?.[1]?.replace('%i', '1');
    expect(broker.sessionFiles?.revocationsFile).toBe(`/var/lib/${state}/revoked.jsonl`);
    expect(brokers).toBe(3);
  });
});
