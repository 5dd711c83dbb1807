import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { Tmux } from '../support/tmux.js';

/** A fenced block of the document, with the name of the file that it is, where it is one. */
interface Block {
  language: string;
  text: string;
  file: string | undefined;
}

/** What goes on until it is ended, by what it prints once it is ready. */
const LASTING: readonly [command: RegExp, ready: RegExp][] = [
  [/^npx imap-broker serve --server/, /export IMAP_BROKER_URL=\S+ IMAP_BROKER_TOKEN=\S+/],
  [/^npx imap-broker serve --config/, /listening/],
  [/^npx imap-broker trace/, /tracing/],
  [/^node watch\.js/, /watching/],
];

let folder: string;
let dovecot: Dovecot;
let monitorPort = 0;
const user = newUser('stranger');
/** What still runs, by its command. */
const lasting = new Map<string, Program>();

beforeAll(async () => {
  builtProgram();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-first-hour-'));
  const pack = ['pack', '--ignore-scripts', '--pack-destination', folder];
  execFileSync('npm', pack, { cwd: projectRoot, stdio: 'pipe' });
  dovecot = await Dovecot.start({ settings: promptIdle });
  await dovecot.deliver(user, 'INBOX', [message({ subject: 'Welcome' }), message({ subject: 'Grüße' })]);
  [monitorPort = 0] = await freePorts(1);
}, 300_000);
afterAll(async () => {
  for (const program of lasting.values()) await program.stop('SIGKILL');
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

function blocksOf(document: string): Block[] {
  const fence = /(?:^`([\w.]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm;
  return [...document.matchAll(fence)].map(([, file, language = '', text = '']) => ({ language, text, file }));
}

/** The document as a reader with this account at this server would have it. */
function filledIn(text: string): string {
  const host = `host = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "${dovecot.caPath}"`;
  return (
    text
      .replace('host = "imap.example.com"', host)
      .replace(
        'serve --server imap.example.com',
        `serve --server localhost:${dovecot.tlsPort} --ca ${dovecot.caPath} --listen 127.0.0.1:0`,
      )
      .replaceAll('imap.example.com', 'localhost')
      .replaceAll('7144', `${monitorPort}`)
      // Not from a registry: those that the project is built with.
      .replace(/--save-dev (.*)/, (_, names: string) =>
        names.replace(/\S+/g, (name) => join(projectRoot, 'node_modules', name)),
      )
      .replace(/\bUSER\b/g, user)
      .replace(/\bPASSWORD\b/g, PASSWORD)
  );
}

/**
 * What each shell begins with. npx takes half a second for what is there already, and hands no signal on: it is left out
 * once it has been tried.
 */
const beginOf = (npx: boolean) =>
  `set -e; touch variables; . ./variables; PATH=$PWD/node_modules/.bin:$PATH; ${npx ? '' : 'npx() { "$@"; }'}`;

/** Runs commands in a shell that goes on where the one before ended, with the variables that it exported. */
async function inShell(commands: string): Promise<string> {
  const shell = `${beginOf(commands.includes('npm install ./'))}\n${commands}\nexport -p > variables`;
  const running = new Program('bash', ['-c', shell], {
    cwd: folder,
    env: {
      npm_config_prefer_offline: 'true',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    },
  });
  expect(await running.ended(), `${commands}\n${running.out}${running.err}`).toBe(0);
  return running.out;
}

/** Starts what goes on until it is ended, and waits until it is ready. */
async function start(command: string, ready: RegExp): Promise<Program> {
  const shell = `${beginOf(false)}\nexec ${command.replace(/^npx /, '')}`;
  const program = new Program('bash', ['-c', shell], { cwd: folder });
  lasting.set(command, program);
  await program.printed(ready);
  return program;
}

/** Each line of a block of output, in which … stands for anything, is in what was printed. */
async function isPrinted(expected: string, printed: string): Promise<void> {
  for (const line of expected.trimEnd().split('\n')) {
    const pattern = new RegExp(
      `^${line
        .split('…')
        .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
      'm',
    );
    const programs = [...lasting.values()];
    await expect
      .poll(() => [printed, ...programs.map(({ out }) => out)].some((text) => pattern.test(text)), { message: line })
      .toBe(true);
  }
}

/** What a reader does in the end to what was started first. */
async function end(command: RegExp, signal: NodeJS.Signals): Promise<number | null> {
  const [name, program] = [...lasting].find(([one]) => command.test(one)) ?? [];
  if (name === undefined || program === undefined) throw new Error(`${command} was not started`);
  lasting.delete(name);
  return await program.stop(signal);
}

it('docs/first-hour.md leads from an empty folder to an operator’s commands, as it stands', async () => {
  const document = readFileSync(join(projectRoot, 'docs/first-hour.md'), 'utf8');
  let printed = '';
  let exported = '';
  for (const { language, text: written, file } of blocksOf(document)) {
    const text = filledIn(written);
    const [command = ''] = text.split('\n');
    const [, ready] = LASTING.find(([one]) => one.test(command)) ?? [];
    if (file !== undefined) writeFileSync(join(folder, file), text);
    else if (language === 'text') await isPrinted(text, printed);
    else if (language !== 'sh' || /npm pack$/m.test(command)) continue;
    else if (/^npx imap-broker top/.test(command)) await seesTop(command);
    else if (ready) {
      if (/serve --config/.test(command)) expect(await end(/serve --server/, 'SIGINT')).toBe(0);
      const [shown] = await (await start(command, ready)).printed(ready);
      if (shown.startsWith('export ')) exported = shown;
    } else printed = await inShell(text.replace(/^export IMAP_BROKER_URL=ws:.*$/m, exported));
  }
  expect(await lasting.get([...lasting.keys()].find((one) => one.includes('serve --config')) ?? '')?.ended()).toBe(0);
}, 300_000);

async function seesTop(command: string): Promise<void> {
  // Wide enough for the whole of the name.
  const terminal = new Tmux(160);
  terminal.type(`cd ${folder}; bash -c '. ./variables; ${command.replace('npx ', 'exec node_modules/.bin/')}'`);
  await terminal.shows(new RegExp(`^webmail .*${user}`, 'm'));
  terminal.press('q');
  await terminal.shows(/shell> *$/m);
}
