import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { complaintsOf } from '../support/compile.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
// Below dist, so that the package finds itself by its own name as a program that installed it does.
const folder = join(projectRoot, 'dist', `readme-${process.pid}`);

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let program: string;
const user = newUser('reader');
beforeAll(async () => {
  program = builtProgram();
  mkdirSync(folder, { recursive: true });
  dovecot = await Dovecot.start({ settings: promptIdle });
  await dovecot.deliver(user, 'INBOX', [message({ subject: 'Hello reader' }), message({ subject: 'Grüße' })]);
  broker = await runBroker(dovecot, { servers: [dovecot.server({ name: 'imap.example.com' })] });
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
  await dovecot.stop();
});

/** The fenced block of a language that contains something, as a reader would fill it in. */
function snippet(language: string, containing: string): string {
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text,
  );
  const block = blocks.find((text) => text?.includes(containing));
  if (block === undefined) throw new Error(`README.md has no ${language} with ${containing}`);
  return filledIn(block);
}

function filledIn(text: string): string {
  return text.replace(/\bUSER\b/g, user).replace(/\bPASSWORD\b/g, PASSWORD);
}

const newerWebsockets = `
import runpy, websockets

older = websockets.connect

def connect(uri, *, additional_headers=None, **options):
    assert "extra_headers" not in options
    return older(uri, extra_headers=additional_headers, **options)

websockets.connect = connect
runpy.run_path("example.py", run_name="__main__")
`;

async function run(command: string, args: string[]): Promise<string> {
  const env = { IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN };
  const running = new Program(command, args, { cwd: folder, env });
  expect(await running.ended(), running.err).toBe(0);
  return running.out;
}

describe('README.md', () => {
  it('starts a broker and calls it from the shell', async () => {
    const [serve = ''] = snippet('sh', 'serve --server').match(/imap-broker serve.*/) ?? [];
    const real = [`localhost:${dovecot.tlsPort}`, '--ca', dovecot.caPath, '--listen', '127.0.0.1:0'];
    const args = serve
      .split(' ')
      .slice(1)
      .flatMap((word) => (word === 'imap.example.com' ? real : [word]));
    const serving = new Program(process.execPath, [program, ...args]);
    try {
      const [, exported = ''] = await serving.printed(/(export IMAP_BROKER_URL=\S+ IMAP_BROKER_TOKEN=\S+)\n/);
      const calls = snippet('sh', 'call session.open')
        .replace(/^export .*$/m, exported)
        .replace('imap.example.com', 'localhost')
        .replaceAll('npx imap-broker', `${process.execPath} ${program}`)
        .split('\n');
      const [list = '', open = ''] = [calls.pop() || calls.pop(), calls.pop()];
      const opened = JSON.parse(await run('bash', ['-c', [...calls, open].join('\n')]));
      const listed = await run('bash', ['-c', [...calls, list.replace('SESSION', opened.session)].join('\n')]);
      expect(JSON.parse(listed).mailboxes[0]).toMatchObject({ name: 'INBOX' });
    } finally {
      expect(await serving.stop()).toBe(0);
    }
  }, 30_000);

  it('has an example in JavaScript that works', async () => {
    writeFileSync(join(folder, 'example.mjs'), snippet('js', 'createClient'));
    expect(await run(process.execPath, ['example.mjs'])).toBe('2 Grüße\n1 Hello reader\n');
  }, 30_000);

  it('has examples in JavaScript that a strict compiler takes as TypeScript', () => {
    const parts = ['createClient', 'mail.watch(', 'maxAgeMs', 'filter:'].map((one) => snippet('js', one));
    writeFileSync(join(folder, 'examples.ts'), parts.join('\n'));
    expect(complaintsOf(folder, ['examples.ts'])).toBe('');
  }, 60_000);

  it('has a watch in JavaScript that tells of new mail, and a page from memory', async () => {
    const parts = [snippet('js', 'createClient').replace('client.close();\n', ''), snippet('js', 'mail.watch(')];
    const watcher = newUser('watcher');
    await dovecot.deliver(watcher, 'INBOX', message({ subject: 'Here already' }));
    const script = [...parts, snippet('js', 'maxAgeMs')].join('\n').replaceAll(user, watcher);
    writeFileSync(join(folder, 'watch.mjs'), script);
    const env = { IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN };
    const running = new Program(process.execPath, ['watch.mjs'], { cwd: folder, env });
    try {
      await running.printed(/^cache \d{4}-\d\d-\d\dT\S+Z$/m);
      await dovecot.deliver(watcher, 'INBOX', message({ subject: 'Just arrived' }));
      await running.printed(/^new 2 Just arrived$/m);
    } finally {
      await running.stop('SIGKILL');
    }
    expect(running.err).toBe('');
  }, 30_000);

  it('has an example in Python that works', async () => {
    const script = snippet('python', 'websockets');
    expect(script.trim().split('\n').length).toBeLessThanOrEqual(23);
    writeFileSync(join(folder, 'example.py'), script);
    expect(await run('/usr/bin/python3', ['example.py'])).toBe('2 Grüße\n1 Hello reader\n');
    // From version 14 on, websockets calls the option additional_headers.
    writeFileSync(join(folder, 'newer.py'), newerWebsockets);
    expect(await run('/usr/bin/python3', ['newer.py'])).toBe('2 Grüße\n1 Hello reader\n');
  }, 30_000);

  it('shows frames that are answered as it says', async () => {
    const client = await RawClient.open(broker.url);
    let session = '';
    for (const line of snippet('text', 'broker.hello').trim().split('\n')) {
      if (!line.startsWith('-> ')) continue;
      const { method, params } = JSON.parse(line.slice(3));
      const result = await client.call(method, session ? { ...params, session } : params);
      if (method === 'session.open') ({ session } = result as { session: string });
    }
    expect(session).not.toBe('');
    expect(client.notifications[0]?.method).toBe('broker.hello');
    await client.close();
  });
});
