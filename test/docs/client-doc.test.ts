import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as errors from '../../src/client/errors.js';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { complaintsOf } from '../support/compile.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const text = readFileSync(join(projectRoot, 'docs/client.md'), 'utf8');
const folder = join(projectRoot, 'dist', `client-doc-${process.pid}`);

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
const user = newUser('reader');
beforeAll(async () => {
  builtProgram();
  mkdirSync(folder, { recursive: true });
  dovecot = await Dovecot.start();
  const attachments = [{ filename: 'plan.bin', content: Buffer.from('the plan') }];
  await dovecot.deliver(user, 'INBOX', [
    message({ from: 'Ida <ida@example.org>', subject: 'Hello reader', text: 'Read me' }),
    message({ from: 'Ole <ole@example.org>', subject: 'The plan', text: 'See the file', attachments }),
  ]);
  broker = await runBroker(dovecot, { servers: [dovecot.server({ name: 'imap.example.com' })] });
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
  await dovecot.stop();
});

/** The blocks of the guide, as one program of a reader who has filled in the credentials. */
function program(): string {
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks
    .join('\n')
    .replace(/\bUSER\b/g, user)
    .replace(/\bPASSWORD\b/g, PASSWORD);
}

describe('docs/client.md', () => {
  it('is one program that a strict compiler takes, with the types of the DOM and without them', () => {
    writeFileSync(join(folder, 'guide.ts'), program());
    expect(complaintsOf(folder, ['guide.ts'], { skipLibCheck: false })).toBe('');
    expect(complaintsOf(folder, ['guide.ts'], { lib: ['es2023'] })).toBe('');
  }, 60_000);

  it('is one program that does what it says', async () => {
    const { code } = await transform(program(), { loader: 'ts' });
    writeFileSync(join(folder, 'guide.mjs'), code);
    const env = { IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN };
    const running = new Program(process.execPath, ['guide.mjs'], { cwd: folder, env });
    expect(await running.ended(), running.err).toBe(0);
    expect(running.err).toBe('');
    const lines = running.out.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'moves in one command: true',
        'INBOX 2',
        '2 The plan false',
        '1 Hello reader false',
        'ole@example.org See the file has files',
        'ida@example.org Read me no files',
        'show the page that was kept',
        'See the file',
        "true [ 'plan.bin' ]",
        'plan.bin application/octet-stream',
        'stored as 3',
        "[ 'INBOX' ]",
        'NOT_FOUND no true',
      ]),
    );
    expect(lines.filter((line) => line === 'CANCELLED')).toHaveLength(2);
    expect(lines.at(-2)).toMatch(
      /^UNREACHABLE No socket to the broker at ws:\/\/127\.0\.0\.1:1 within 300 ms\. .*ECONNREFUSED/,
    );
    expect(readFileSync(join(folder, 'attachment.bin'), 'utf8')).toBe('the plan');
  }, 30_000);

  it('names every class of errors, and no other', () => {
    const classes = Object.keys(errors).filter((name) => name.endsWith('Error') && name !== 'RpcError');
    const named = [...text.matchAll(/^\| `(\w+Error)` \|/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(classes.filter((name) => name !== 'rpcError').sort());
  });

  it('links to what is there', () => {
    const headings = new Set(
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => `#${title.toLowerCase().replaceAll(' ', '-')}`),
    );
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('#')) expect(headings).toContain(target);
      else expect(existsSync(join(projectRoot, 'docs', target.replace(/#.*/, ''))), target).toBe(true);
    }
  });
});
