#!/usr/bin/env node
// `npm run release -- VERSION`: checks, sets the version, dates the changelog, tests, packs, commits and tags.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run release -- VERSION [--dry-run] [--no-test]

  VERSION    such as 0.2.0
  --dry-run  says what would be done, and changes nothing
  --no-test  without npm test, where it has just run on this commit`;
const CHANGELOG = 'CHANGELOG.md';

process.exit(release(process.argv.slice(2)));

/** @returns the exit code: 0 done, 1 refused or failed, 2 wrong usage */
function release(args) {
  const wanted = wantedOf(args);
  if (wanted === undefined) {
    console.error(USAGE);
    return 2;
  }
  const problems = problemsOf(wanted.version);
  for (const problem of problems) console.error(`release: ${problem}`);
  if (problems.length > 0) return 1;
  const steps = stepsOf(wanted);
  if (wanted.dryRun) {
    console.log(`Version ${wanted.version} can be released. Without --dry-run:`);
    for (const { title } of steps) console.log(`  ${title}`);
    return 0;
  }
  for (const { title, work } of steps) {
    console.log(`\n== ${title}`);
    if (work()) continue;
    // The tree was clean at the start, so that nothing else is lost by this.
    run('git', 'restore', '--staged', '--worktree', '.');
    console.error(`release: "${title}" failed. The files are as they were; there is no commit and no tag.`);
    return 1;
  }
  const { version } = wanted;
  console.log(`
imap-broker-${version}.tgz, the commit and the tag v${version} are here and nowhere else. To publish them:
  git push origin main v${version}
  npm publish imap-broker-${version}.tgz`);
  return 0;
}

function wantedOf(args) {
  try {
    const options = { 'dry-run': { type: 'boolean', default: false }, 'no-test': { type: 'boolean', default: false } };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [version = ''] = positionals;
    if (positionals.length !== 1 || numbersOf(version) === undefined) return undefined;
    return { version, dryRun: values['dry-run'], untested: values['no-test'] };
  } catch {
    return undefined;
  }
}

/** The numbers of a version `MAJOR.MINOR.PATCH`; undefined where it is none. */
function numbersOf(version) {
  const [, ...numbers] = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(version) ?? [];
  return numbers.length === 3 ? numbers.map(Number) : undefined;
}

/** Below 0 where `one` is the lower version, above 0 where it is the higher one. */
function compare(one, other) {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  return a.map((number, index) => number - b[index]).find((difference) => difference !== 0) ?? 0;
}

/** Why the version cannot be released, in sentences. */
function problemsOf(version) {
  const problems = [];
  const branch = git('branch', '--show-current');
  if (branch !== 'main') problems.push(`the branch is ${branch || 'none'}: a release is made on main.`);
  const changed = git('status', '--porcelain');
  if (changed !== '') problems.push(`there are changes that are not committed:\n${changed}`);
  const tags = git('tag', '--list', 'v*')
    .split('\n')
    .map((tag) => tag.slice(1))
    .filter(numbersOf);
  const released = tags.sort(compare).at(-1);
  if (tags.includes(version)) problems.push(`there is a tag v${version} already.`);
  else if (released !== undefined && compare(version, released) < 0)
    problems.push(`${version} is not higher than ${released}, the last version that was released.`);
  const own = packageVersion();
  if (compare(version, own) < 0) problems.push(`${version} is lower than ${own}, the version in package.json.`);
  const entries = entriesOf(version);
  if (entries === undefined) problems.push(`${CHANGELOG} has no section "${headingOf(version)}".`);
  else if (entries === 0) problems.push(`the section of ${version} in ${CHANGELOG} is empty.`);
  return problems;
}

function stepsOf({ version, untested }) {
  const steps = [];
  const step = (title, work) => steps.push({ title, work });
  step(`Dating the section of ${version} in ${CHANGELOG}`, () => date(version));
  if (version !== packageVersion()) {
    step(`Setting the version ${version} in package.json and package-lock.json`, () =>
      run('npm', 'version', version, '--no-git-tag-version'),
    );
    step('Writing the documents that name the version', () => run('npm', 'run', 'docs'));
  }
  if (!untested) step('Running the tests', () => run('npm', 'test'));
  step(`Packing imap-broker-${version}.tgz`, () => run('npm', 'pack'));
  step(`Committing, and tagging v${version}`, () => commit(version));
  return steps;
}

function headingOf(version) {
  return `## [${version}] - Unreleased`;
}

/** How many entries the section of a version has that is to be released; undefined where there is no such section. */
function entriesOf(version) {
  const lines = readFileSync(CHANGELOG, 'utf8').split('\n');
  const start = lines.indexOf(headingOf(version));
  if (start < 0) return undefined;
  const after = lines.slice(start + 1);
  const end = after.findIndex((line) => line.startsWith('## '));
  return after.slice(0, end < 0 ? undefined : end).filter((line) => /^- \S/.test(line)).length;
}

function date(version) {
  const today = new Date().toISOString().slice(0, 10);
  const text = readFileSync(CHANGELOG, 'utf8');
  writeFileSync(CHANGELOG, text.replace(headingOf(version), `## [${version}] - ${today}`));
  return true;
}

function commit(version) {
  return (
    run('git', 'commit', '--quiet', '--all', '--message', `Version ${version}`) &&
    run('git', 'tag', '--annotate', `v${version}`, '--message', `imap-broker ${version}`)
  );
}

function packageVersion() {
  return JSON.parse(readFileSync('package.json', 'utf8')).version;
}

/** What git answers. */
function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** Runs a command whose output is shown. @returns whether it succeeded */
function run(command, ...args) {
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
