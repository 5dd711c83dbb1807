import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { ReadAgain } from '../../src/broker/options.js';
import { RunningConfig } from '../../src/cli/running-config.js';
import { loadConfig } from '../../src/config/load.js';
import { configSchema } from '../../src/config/schema.js';
import type { Reload } from '../../src/config/schema-parts.js';
import { certificates } from '../support/certificates.js';

const HASH = 'a'.repeat(64);

/** A configuration that gives every table. */
const base: Record<string, Record<string, unknown> | unknown[]> = {
  allowed_origins: ['https://a.example'],
  allowed_hosts: ['a.example'],
  listener: [{ host: '127.0.0.1', port: 7143 }],
  server: [{ name: 'main', host: 'imap.example.com' }],
  tenant: [{ name: 'webmail', token_hashes: [HASH] }],
  pool: {},
  cluster: {},
  shared: { url: 'redis://127.0.0.1:6379' },
  limits: {},
  cache: {},
  session: { state_dir: 'state' },
  admin: { socket: 'admin.sock' },
  monitor: { host: '127.0.0.1', port: 7144 },
  log: {},
};

/** Where a number or a switch is not what another value can be made of: the values before and after. */
const values: Record<string, { before?: Record<string, unknown>; after: unknown }> = {
  allowed_origins: { after: ['https://b.example'] },
  allowed_hosts: { after: ['b.example'] },
  'listener.unix': { before: { unix: 'a.sock', host: undefined, port: undefined }, after: 'b.sock' },
  'listener.mode': { before: { unix: 'a.sock', host: undefined, port: undefined, mode: 0o600 }, after: 0o660 },
  'listener.systemd': { before: { systemd: 'a', host: undefined, port: undefined }, after: 'b' },
  'listener.host': { after: '127.0.0.2' },
  'server.name': { after: 'other' },
  'server.host': { after: 'imap2.example.com' },
  'server.tls': { after: 'starttls' },
  'server.servername': { before: { servername: 'a.example' }, after: 'b.example' },
  'server.ca_file': { before: { ca_file: 'ca.pem' }, after: 'ca2.pem' },
  'tenant.name': { after: 'crm' },
  'tenant.token_hashes': { after: ['b'.repeat(64)] },
  'tenant.token_hashes_file': { before: { token_hashes_file: 'hashes' }, after: 'hashes2' },
  'tenant.certificate_names': { after: ['front'] },
  'tenant.servers': { before: { servers: ['main'] }, after: [] },
  'tenant.scopes': { after: ['admin'] },
  'session.state_dir': { after: 'state2' },
  'session.key_file': { before: { key_file: 'keys' }, after: 'keys2' },
  'admin.socket': { after: 'admin2.sock' },
  'monitor.unix': { before: { unix: 'a.sock', host: undefined, port: undefined }, after: 'b.sock' },
  'monitor.mode': { before: { unix: 'a.sock', host: undefined, port: undefined, mode: 0o600 }, after: 0o660 },
  'monitor.host': { after: '127.0.0.2' },
  'log.level': { after: 'warn' },
  'cluster.name': { after: 'b' },
  'shared.url': { after: 'redis://127.0.0.1:6380' },
  'shared.ca_file': { before: { url: 'rediss://127.0.0.1:6379', ca_file: 'ca.pem' }, after: 'ca2.pem' },
};
for (const section of ['listener', 'monitor']) {
  const tls = { tls_cert_file: 'cert.pem', tls_key_file: 'key.pem' };
  values[`${section}.tls_cert_file`] = { before: tls, after: 'cert2.pem' };
  values[`${section}.tls_key_file`] = { before: tls, after: 'key2.pem' };
  values[`${section}.client_ca_file`] = { before: { ...tls, client_ca_file: 'ca.pem' }, after: 'ca2.pem' };
}

interface Key {
  section: string;
  name: string | undefined;
  key: string;
  reload: Reload;
  node: z.core.JSONSchema.JSONSchema;
}

/** Every key of the schema. */
function keysOf(): Key[] {
  const { properties = {} } = z.toJSONSchema(configSchema, { io: 'input' });
  return Object.entries(properties).flatMap(([section, node]): Key[] => {
    if (typeof node !== 'object') return [];
    const table = (node.items ?? node) as z.core.JSONSchema.JSONSchema;
    const ofTable = (table.reload ?? node.reload ?? 'restart') as Reload;
    if (!table.properties) return [{ section, name: undefined, key: section, reload: ofTable, node }];
    return Object.entries(table.properties).map(([name, value]) => {
      const own = value as z.core.JSONSchema.JSONSchema;
      return { section, name, key: `${section}.${name}`, reload: (own.reload as Reload) ?? ofTable, node: own };
    });
  });
}

/** Another value than the default or the least. */
function otherThan({ key, node }: Key): unknown {
  const given = values[key]?.after;
  if (given !== undefined) return given;
  if (node.type === 'boolean') return node.default !== true;
  if (typeof node.minimum !== 'number') throw new Error(`${key}: give another value for it in this test`);
  return node.default === node.minimum + 1 ? node.minimum + 2 : node.minimum + 1;
}

const keys = keysOf();

describe('a reload', () => {
  it.each(keys)('does with $key what the schema says: $reload', (one) => {
    const { section, name, key, reload } = one;
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-reload-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'hashes'), `${'c'.repeat(64)}\n`);
    writeFileSync(join(folder, 'hashes2'), `${'d'.repeat(64)}\n`);
    const pem = certificates();
    for (const [file, text] of Object.entries({ ca: pem.ca, cert: pem.cert, key: pem.key })) {
      for (const copy of [file, `${file}2`]) writeFileSync(join(folder, `${copy}.pem`), text);
    }
    const file = join(folder, 'config.toml');
    const write = (value?: unknown) => writeFileSync(file, toml(tableWith(section, name, values[key]?.before, value)));
    write();
    const running = new RunningConfig(file, loadConfig(file), undefined);
    // What is shown of tokens says only that they are there.
    const inForce = ({ settings, tenants }: ReadAgain['next']) => ({ settings, tenants });
    const before = inForce(running.readAgain().next);
    write(otherThan(one));
    const { changed, restart, next } = running.readAgain();
    const about = (listed: string[]) => listed.some((each) => each.startsWith(section));
    expect([about(changed), about(restart)], [...changed, '|', ...restart].join(' ')).toEqual([
      reload !== 'restart',
      reload === 'restart',
    ]);
    if (reload === 'restart') expect(next.settings).toEqual(before.settings);
    else expect(inForce(next)).not.toEqual(before);
  });
});

/** The configuration with one table as it is to be. */
function tableWith(section: string, name: string | undefined, before: object | undefined, value: unknown) {
  const entry = base[section];
  if (name === undefined) return { ...base, [section]: value ?? entry };
  const [table] = (Array.isArray(entry) ? entry : [entry]) as [object];
  const changed = { ...table, ...before, ...(value !== undefined && { [name]: value }) };
  return { ...base, [section]: Array.isArray(entry) ? [changed] : changed };
}

function toml(file: Record<string, unknown>): string {
  const lines: string[] = [];
  const entries = (table: object) =>
    Object.entries(table)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key} = ${key === 'mode' ? `0o${value.toString(8)}` : JSON.stringify(value)}`);
  const tables = Object.entries(file).filter(([, value]) => !isPlain(value));
  for (const [key, value] of Object.entries(file)) if (isPlain(value)) lines.push(`${key} = ${JSON.stringify(value)}`);
  for (const [key, value] of tables) {
    for (const table of Array.isArray(value) ? value : [value]) {
      lines.push(Array.isArray(value) ? `[[${key}]]` : `[${key}]`, ...entries(table as object));
    }
  }
  return `${lines.join('\n')}\n`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || (Array.isArray(value) && value.every((each) => typeof each === 'string'));
}
