import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';

let folder: string;
beforeAll(() => {
  builtProgram();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-package-'));
  // Not `prepack`: other tests use the same build meanwhile.
  const packed = npm(projectRoot, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{ "name": "somebody-elses", "private": true, "type": "module" }\n');
  npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, filename));
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A program of another project, in TypeScript and JavaScript alike. */
function useClient(url: string): string {
  return `import { createClient } from 'imap-broker/client';

const client = createClient({ url: '${url}', token: 't' });
const pong = await client.broker.ping();
const version: string = pong.version;
process.stdout.write(JSON.stringify({ version }));
client.close();
`;
}

describe('the package, installed in an empty folder', () => {
  it('runs its program by name', () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    expect(npm(folder, 'exec', '--no', 'imap-broker', '--', '--version')).toBe(`${version}\n`);
  });

  it('brings no more than it needs', () => {
    for (const name of ['hoodiecrow-imap', 'vitest', 'typescript', 'fast-check', 'pino-pretty', 'playwright-core']) {
      expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false);
    }
    const shipped = join(folder, 'node_modules/imap-broker');
    expect(existsSync(join(shipped, 'test'))).toBe(false);
    expect(existsSync(join(shipped, 'dist/test'))).toBe(false);
    const files = [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs/configuration.md',
      'docs/protocol.md',
      'docs/openrpc.json',
    ];
    for (const name of [...files, 'grafana/imap-broker.json', 'grafana/alerts.yml', 'dashboard/index.html']) {
      expect(existsSync(join(shipped, name)), name).toBe(true);
    }
  });

  it('has the contract as an OpenRPC document, by name', () => {
    const asked = "require('imap-broker/openrpc.json').methods.some(({ name }) => name === 'message.list')";
    expect(execFileSync(process.execPath, ['-p', asked], { cwd: folder, encoding: 'utf8' })).toBe('true\n');
  });

  it('serves, and its client entry talks to it', async () => {
    const program = join(folder, 'node_modules/.bin/imap-broker');
    const serve = ['serve', '--server', '127.0.0.1:1', '--insecure-no-tls', '--listen', '127.0.0.1:0', '--token', 't'];
    const broker = new Program(program, serve, { cwd: folder });
    try {
      const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
      writeFileSync(join(folder, 'use.js'), useClient(url).replace(': string', ''));
      const script = new Program(process.execPath, ['use.js'], { cwd: folder });
      expect(await script.ended(), script.err).toBe(0);
      expect(JSON.parse(script.out)).toMatchObject({ version: expect.any(String) });
      const call = new Program(program, ['call', 'broker.ping', '--url', url, '--token', 't'], { cwd: folder });
      expect(await call.ended(), call.err).toBe(0);
      expect(JSON.parse(call.out)).toMatchObject({ version: expect.any(String) });
    } finally {
      expect(await broker.stop()).toBe(0);
    }
  }, 60_000);

  it('carries types that a strict compiler takes', () => {
    writeFileSync(join(folder, 'use.ts'), useClient('ws://127.0.0.1:1'));
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,dom'];
    const compiler = join(projectRoot, 'node_modules/.bin/tsc');
    const types = ['--types', 'node', '--typeRoots', join(projectRoot, 'node_modules/@types')];
    expect(() =>
      execFileSync(compiler, [...options, ...types, 'use.ts'], { cwd: folder, stdio: 'pipe' }),
    ).not.toThrow();
  }, 60_000);
});
