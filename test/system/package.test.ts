import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Format } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { complaintsOf } from '../support/compile.js';

/** Bytes of the client with the packages that it needs, in one file that is not minified. */
const MOST_BUNDLED_BYTES = 250_000;

let folder: string;
beforeAll(() => {
  builtProgram();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-package-'));
  // Not `prepack`: other tests use the same build meanwhile.
  const packed = npm(projectRoot, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{ "name": "an-application", "private": true, "type": "module" }\n');
  npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, filename));
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What an application does with the client, in TypeScript and JavaScript alike. */
const use = `
async function main() {
  const client = createClient();
  const { version } = await client.broker.ping();
  const refused = await client.mailbox.list({ session: 'none' }).catch((error) => error.kind);
  process.stdout.write(JSON.stringify({ version, refused }));
  client.close();
}
void main();
`;
const imported = `import { createClient } from 'imap-broker/client';\n${use}`;
const required = `const { createClient } = require('imap-broker/client');\n${use}`;

/** One file of an application and its client, made as docs/client.md says. @returns the packages in it */
async function bundle(format: Format, outfile: string): Promise<Set<string>> {
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  const { metafile, warnings } = await build({
    ...{ entryPoints: ['use.js'], bundle: true, platform: 'node', format, outfile, metafile: true },
    ...{ absWorkingDir: folder, banner: format === 'esm' ? { js: require } : {}, logLevel: 'silent' },
  });
  expect(warnings).toEqual([]);
  const inputs = Object.entries(metafile.outputs[outfile]?.inputs ?? {});
  const files = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  return new Set(files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
}

it('installed for all users by the line of README.md and docs/operations.md, runs and has its man page', () => {
  const line = 'npm install --global ./imap-broker-*.tgz';
  for (const page of ['README.md', 'docs/operations.md']) {
    expect(readFileSync(join(projectRoot, page), 'utf8').split('\n'), page).toContain(line);
  }
  const prefix = join(folder, 'prefix');
  const env = { ...process.env, npm_config_prefix: prefix, npm_config_prefer_offline: 'true' };
  execFileSync('sh', ['-c', line], { cwd: folder, env, stdio: 'pipe' });
  const printed = execFileSync(join(prefix, 'bin/imap-broker'), ['--version'], { encoding: 'utf8' });
  expect(printed).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(existsSync(join(prefix, 'share/man/man1/imap-broker.1'))).toBe(true);
  expect(existsSync(join(prefix, 'lib/node_modules/imap-broker/systemd/imap-broker.service'))).toBe(true);
}, 60_000);

describe('the package, installed in an empty folder', () => {
  it('runs its program by name', () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    expect(npm(folder, 'exec', '--no', 'imap-broker', '--', '--version')).toBe(`${version}\n`);
  });

  it('brings no more than it needs', () => {
    for (const name of ['hoodiecrow-imap', 'vitest', 'typescript', 'fast-check', 'playwright-core']) {
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
      'docs/sample.toml',
      'docs/openrpc.json',
      'docs/protocol.md',
      'docs/client.md',
    ];
    for (const name of [...files, 'grafana/imap-broker.json', 'grafana/alerts.yml', 'dashboard/index.html']) {
      expect(existsSync(join(shipped, name)), name).toBe(true);
    }
  });

  it('has the contract as an OpenRPC document, by name', () => {
    const asked = "require('imap-broker/openrpc.json').methods.some(({ name }) => name === 'message.list')";
    expect(execFileSync(process.execPath, ['-p', asked], { cwd: folder, encoding: 'utf8' })).toBe('true\n');
  });

  it('serves, and its client talks to it: imported, required, and in one file with an application', async () => {
    const program = join(folder, 'node_modules/.bin/imap-broker');
    const serve = ['serve', '--server', '127.0.0.1:1', '--insecure-no-tls', '--listen', '127.0.0.1:0', '--token', 't'];
    writeFileSync(join(folder, 'use.js'), imported);
    writeFileSync(join(folder, 'use.cjs'), required);
    const packages = await bundle('esm', 'bundle.mjs');
    expect([...packages].sort()).toEqual(['imap-broker', 'ws']);
    await bundle('cjs', 'bundle.cjs');
    expect(statSync(join(folder, 'bundle.cjs')).size).toBeLessThan(MOST_BUNDLED_BYTES);
    const broker = new Program(program, serve, { cwd: folder });
    try {
      const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
      const env = { IMAP_BROKER_URL: url, IMAP_BROKER_TOKEN: 't' };
      for (const file of ['use.js', 'use.cjs', 'bundle.mjs', 'bundle.cjs']) {
        const script = new Program(process.execPath, [file], { cwd: folder, env });
        expect(await script.ended(), `${file}: ${script.err}`).toBe(0);
        expect(JSON.parse(script.out), file).toEqual({ version: expect.any(String), refused: 'SESSION_EXPIRED' });
        expect(script.err, file).toBe('');
      }
      const call = new Program(program, ['call', 'broker.ping', '--url', url, '--token', 't'], { cwd: folder });
      expect(await call.ended(), call.err).toBe(0);
      expect(JSON.parse(call.out)).toMatchObject({ version: expect.any(String) });
    } finally {
      expect(await broker.stop()).toBe(0);
    }
  }, 60_000);

  it('carries types that a strict compiler finds, however it looks for modules', () => {
    for (const name of ['use.ts', 'use.cts', 'use.mts']) writeFileSync(join(folder, name), imported);
    const kinds = [
      [['use.ts', 'use.cts', 'use.mts'], { module: 'nodenext' }],
      [['use.ts', 'use.mts'], { module: 'node16' }],
      [['use.ts'], { module: 'esnext', moduleResolution: 'bundler' }],
      [['use.ts', 'use.cts'], { module: 'commonjs', moduleResolution: 'bundler' }],
    ] as const;
    for (const [files, options] of kinds) {
      expect(complaintsOf(folder, files, options), JSON.stringify(options)).toBe('');
    }
    // Compilers that look for modules as Node 10 did know nothing of `exports`.
    const { typesVersions } = JSON.parse(readFileSync(join(folder, 'node_modules/imap-broker/package.json'), 'utf8'));
    expect(existsSync(join(folder, 'node_modules/imap-broker', typesVersions['*'].client[0]))).toBe(true);
  }, 120_000);
});
