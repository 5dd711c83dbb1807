import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../cli/built.js';

/** Those of the machine would sign, or run hooks. */
const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'T'],
      [`GIT_${who}_EMAIL`, 't@t'],
    ]),
  ),
};
const today = new Date().toISOString().slice(0, 10);

/** What of the project a release reads and writes. */
const FILES = [
  'CHANGELOG.md',
  'package.json',
  'package-lock.json',
  'man/imap-broker.1',
  'scripts/release.mjs',
  '.gitignore',
];

/** A clone of this project as the test begins with it: with a changelog and a version of the test, without what takes long. */
let base: string;
/** The copy of it that a test works in. */
let clone: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'imap-broker-release-'));
  clone = base;
  execFileSync('git', ['clone', '--quiet', '--depth', '1', '--no-checkout', `file://${projectRoot}`, base], { env });
  git('sparse-checkout', 'set', '--no-cone', ...FILES.map((file) => `/${file}`));
  git('checkout', '--quiet', '-B', 'main');
  mkdirSync(join(base, 'scripts'), { recursive: true });
  for (const file of FILES) copyFileSync(join(projectRoot, file), join(base, file));
  const version = /("name": "imap-broker",\s*"version": )"[^"]*"/g;
  for (const file of ['package.json', 'package-lock.json']) write(file, read(file).replaceAll(version, '$1"0.8.0"'));
  stub({ docs: 'cp package.json man/imap-broker.1', test: 'cp CHANGELOG.md tested.tgz', prepack: 'true' });
  changelog('## [0.9.0] - Unreleased\n\n### Added\n\n- Something.\n\n## [0.8.0] - 2026-01-02\n\n- It began.\n');
});
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'imap-broker-release-'));
  onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(base, clone, { recursive: true });
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function read(file: string): string {
  return readFileSync(join(clone, file), 'utf8');
}
function write(file: string, text: string): void {
  writeFileSync(join(clone, file), text);
}
function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: clone, env, encoding: 'utf8' }).trim();
}

/** Lets scripts of the clone do something short, and commits that. */
function stub(scripts: Record<string, string>): void {
  const content = JSON.parse(read('package.json'));
  Object.assign(content.scripts, scripts);
  write('package.json', `${JSON.stringify(content, undefined, 2)}\n`);
  committed();
}

function changelog(sections: string): void {
  write('CHANGELOG.md', `# Changelog\n\n${sections}`);
  committed();
}

function committed(): void {
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', 'As the test has it');
}

function release(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/release.mjs', ...args], {
    cwd: clone,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Everything that a release changes. */
function state() {
  return {
    head: git('rev-parse', 'HEAD'),
    status: git('status', '--porcelain'),
    tags: git('tag'),
    packed: existsSync(join(clone, 'imap-broker-0.9.0.tgz')),
  };
}

describe('npm run release', () => {
  it('sets the version, dates the changelog, tests that, commits, tags, packs, and says what to publish', () => {
    git('tag', 'v0.8.0');
    const { status, stdout } = release('0.9.0');
    expect(status, stdout).toBe(0);
    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '-1', '--format=%s')).toBe('Version 0.9.0');
    expect(git('describe')).toBe('v0.9.0');
    expect(JSON.parse(read('package.json')).version).toBe('0.9.0');
    const lock = JSON.parse(read('package-lock.json'));
    expect([lock.version, lock.packages[''].version]).toEqual(['0.9.0', '0.9.0']);
    expect(read('CHANGELOG.md')).toContain(`\n## [0.9.0] - ${today}\n`);
    expect(read('CHANGELOG.md')).toContain('\n## [0.8.0] - 2026-01-02\n');
    expect(read('man/imap-broker.1')).toContain('"version": "0.9.0"');
    // What was tested is what was committed.
    expect(read('tested.tgz')).toBe(read('CHANGELOG.md'));
    const packed = execFileSync('tar', ['-xzOf', 'imap-broker-0.9.0.tgz', 'package/package.json'], { cwd: clone });
    expect(JSON.parse(String(packed)).version).toBe('0.9.0');
    expect(stdout).toMatch(/git push origin main v0\.9\.0\n {2}npm publish imap-broker-0\.9\.0\.tgz\n$/);
    expect(git('ls-remote', '--tags', 'origin')).not.toContain('v0.9.0');
  });

  it('releases the version that package.json has already, where it was not released yet', () => {
    changelog('## [0.8.0] - Unreleased\n\n- It begins.\n');
    const { status, stdout } = release('0.8.0', '--no-test');
    expect(status, stdout).toBe(0);
    expect(stdout).not.toContain('Running the tests');
    expect(git('describe')).toBe('v0.8.0');
    expect(git('show', '--stat', '--format=', 'HEAD')).toMatch(/^ ?CHANGELOG\.md \|.*\n.*1 file changed/);
  });

  it('says with --dry-run what it would do, and does nothing', () => {
    const before = state();
    const { status, stdout } = release('0.9.0', '--dry-run');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `Version 0.9.0 can be released. Without --dry-run:
  Dating the section of 0.9.0 in CHANGELOG.md
  Setting the version 0.9.0 in package.json and package-lock.json
  Writing the documents that name the version
  Running the tests
  Packing imap-broker-0.9.0.tgz
  Committing, and tagging v0.9.0
`,
    });
    expect(state()).toEqual(before);
  });

  it.each(['test', 'prepack'])('leaves everything as it was where %s fails', (script) => {
    stub({ [script]: 'echo changed > CHANGELOG.md; exit 3' });
    const before = state();
    const { status, stderr } = release('0.9.0');
    expect(status).toBe(1);
    expect(stderr).toContain('The files are as they were; there is no commit and no tag.');
    expect(state()).toEqual(before);
  });
});

describe('npm run release refuses', () => {
  const cases: [name: string, prepare: () => void, version: string, said: RegExp][] = [
    [
      'a tree with changes',
      () => write('package.json', read('package.json').trim()),
      '0.9.0',
      /not committed:\n ?M package\.json/,
    ],
    ['a file that is not added', () => write('new.txt', ''), '0.9.0', /not committed:\n\?\? new\.txt/],
    ['another branch', () => git('checkout', '--quiet', '-b', 'later'), '0.9.0', /the branch is later: .* on main\./],
    ['a tag that is there', () => git('tag', 'v0.9.0'), '0.9.0', /there is a tag v0\.9\.0 already\./],
    ['a version below the last', () => git('tag', 'v0.10.0'), '0.9.0', /0\.9\.0 is not higher than 0\.10\.0, the last/],
    ['one below package.json', () => {}, '0.7.9', /0\.7\.9 is lower than 0\.8\.0, the version in package\.json\./],
    ['one that the changelog does not have', () => {}, '0.10.0', /no section "## \[0\.10\.0\] - Unreleased"\./],
    ['one that has a date', () => changelog('## [0.9.0] - 2026-01-01\n\n- It.\n'), '0.9.0', /no section/],
    [
      'an empty section',
      () => changelog('## [0.9.0] - Unreleased\n\n### Added\n\n## [0.8.0] - 2026-01-02\n\n- It.\n'),
      '0.9.0',
      /section of 0\.9\.0 in CHANGELOG\.md is empty\./,
    ],
  ];

  it.each(cases)('%s', (_, prepare, version, said) => {
    prepare();
    const before = state();
    const { status, stderr } = release(version);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(said) });
    expect(state()).toEqual(before);
  });

  it.each([[[]], [['v0.9.0']], [['0.9']], [['0.9.0-rc.1']], [['0.9.0', '1.0.0']], [['0.9.0', '--force']]])(
    'to be called with %j',
    (args) => {
      expect(release(...args)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(/^Usage: /) });
    },
  );
});

it('the changelog of this project has sections as the release wants them', () => {
  const text = readFileSync(join(projectRoot, 'CHANGELOG.md'), 'utf8');
  const headings = [...text.matchAll(/^## .*$/gm)].map(([heading]) => heading);
  expect(headings.length).toBeGreaterThan(0);
  for (const heading of headings) expect(heading).toMatch(/^## \[\d+\.\d+\.\d+\] - (?:Unreleased|\d{4}-\d\d-\d\d)$/);
});
