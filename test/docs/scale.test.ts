import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { KeyRing } from '../../src/session/key-ring.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { certificates } from '../support/certificates.js';
import { unpacked } from '../support/unpacked.js';

const root = new URL('../../', import.meta.url);
const textOf = (name: string) => readFileSync(new URL(name, root), 'utf8');

/** The fenced blocks of a language in a section of docs/scale.md. */
function blocks(heading: string, language: string): string[] {
  const [, section = ''] = new RegExp(`^### ${heading}\\n([\\s\\S]*?)(?=^##)`, 'm').exec(textOf('docs/scale.md')) ?? [];
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...section.matchAll(fence)].map(([, block = '']) => block);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-scale-doc-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Container {
  command: string[];
  env: Array<{ name: string; value: string }>;
}
interface Resource {
  kind: string;
  metadata: { name: string };
  stringData: Record<string, string>;
  spec: {
    ports: Array<{ port: number }>;
    serviceName: string;
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        containers: Container[];
        volumes: Array<{ projected: { defaultMode: number; sources: Array<{ secret: { name: string } }> } }>;
      };
    };
  };
}

describe('the example for Kubernetes', () => {
  const resources = (): Record<string, Resource> => {
    const [text = ''] = blocks('Kubernetes', 'yaml');
    // As Kubernetes reads it: 0440 is octal.
    const documents = parseAllDocuments(text, { version: '1.1' });
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    return Object.fromEntries(documents.map((one) => [(one.toJS() as Resource).kind, one.toJS() as Resource]));
  };

  it('has a configuration that check-config takes, with its files as Kubernetes shows them', () => {
    const { Secret, StatefulSet } = resources();
    const { containers, volumes } = StatefulSet?.spec.template.spec ?? { containers: [], volumes: [] };
    const [container] = containers;
    const [volume] = volumes;
    const files = join(folder, 'files');
    mkdirSync(files);
    const { cert, key } = certificates();
    KeyRing.ofFile(join(files, 'session.keys'), { create: true });
    const made: Record<string, string> = { 'tls.crt': cert, 'tls.key': key, tokens: `${hashToken('one')}\n` };
    for (const [name, text] of Object.entries({ ...made, ...Secret?.stringData }))
      writeFileSync(join(files, name), text);
    const mode = volume?.projected.defaultMode ?? 0;
    for (const name of [...Object.keys(made), 'config.toml', 'session.keys']) chmodSync(join(files, name), mode);
    const [variable] = container?.env ?? [];
    expect(container?.command).toEqual(['imap-broker', 'serve', '--config', `${variable?.value}/config.toml`]);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [builtProgram(), 'check-config', join(files, 'config.toml')],
      { env: { ...process.env, [variable?.name ?? '']: files }, encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('one of 3 brokers');
  });

  it('gives a broker as long to end as the unit for systemd, and names its parts alike', () => {
    const { Secret, Service, StatefulSet } = resources();
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(textOf('systemd/imap-broker@.service')) ?? [];
    const pod = StatefulSet?.spec.template.spec;
    expect(pod?.terminationGracePeriodSeconds).toBe(Number(seconds));
    expect(StatefulSet?.spec.serviceName).toBe(Service?.metadata.name);
    const secrets = pod?.volumes[0]?.projected.sources.map(({ secret }) => secret.name) ?? [];
    const [commands = ''] = blocks('Kubernetes', 'sh');
    const made = [...commands.matchAll(/create secret (?:generic|tls) (\S+)/g)].map(([, name]) => name);
    expect(secrets).toEqual([Secret?.metadata.name, ...made]);
  });

  it('has lines for HAProxy that HAProxy takes', () => {
    const [lines = ''] = blocks('Kubernetes', 'haproxy');
    const [resolvers = '', server = ''] = lines.split('backend brokers\n');
    const file = join(folder, 'haproxy.cfg');
    const without = textOf('scale/haproxy.cfg').replace(/^ *server .*\n/gm, '');
    writeFileSync(join(folder, 'brokers.pem'), certificates().ca);
    const tls = ` ssl check-ssl verify required ca-file ${join(folder, 'brokers.pem')}`;
    writeFileSync(file, `${resolvers}${without.replace(/^ *default-server .*/m, `$&${tls}`)}${server}`);
    const { program, env } = unpacked('haproxy', 'usr/sbin/haproxy');
    const { status, stderr } = spawnSync(program, ['-c', '-f', file], { env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('the example for Envoy', () => {
  it('has the brokers, the times and the name of the shard that scale/haproxy.cfg has', () => {
    const [text = ''] = blocks('Envoy', 'yaml');
    const envoy = JSON.stringify(parse(text));
    const haproxy = textOf('scale/haproxy.cfg');
    const servers = [...haproxy.matchAll(/^ *server \S+ 127\.0\.0\.1:(\d+) port (\d+)$/gm)];
    const endpoints = [...envoy.matchAll(/"port_value":(\d+)\}\},"health_check_config":\{"port_value":(\d+)\}/g)];
    expect(endpoints.map(([, ...ports]) => ports)).toEqual(servers.map(([, ...ports]) => ports));
    expect(envoy).toContain('"query_parameter":{"name":"shard"}');
    expect(haproxy).toContain('balance url_param shard');
    const times = (pattern: RegExp) => pattern.exec(haproxy)?.[1];
    expect(envoy).toContain(`"connect_timeout":"${times(/timeout connect (\S+)/)}"`);
    expect(envoy).toContain(`"idle_timeout":"${times(/timeout tunnel (\S+)/)}"`);
    expect(envoy).toContain(`"interval":"${times(/check inter (\S+)/)}"`);
  });
});
