import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const page = readFileSync(join(projectRoot, 'docs/php-and-python.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'imap-broker-documented-'));

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
beforeAll(async () => {
  for (const file of ['php/ImapBroker.php', 'python/imap_broker.py']) {
    copyFileSync(join(projectRoot, 'clients', file), join(folder, file.replace(/.*\//, '')));
  }
  dovecot = await Dovecot.start({ settings: promptIdle });
  broker = await runBroker(dovecot, { servers: [dovecot.server({ name: 'imap.example.com' })] });
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The snippets of a language, in their order: first call, errors, download, upload, events. */
const snippets = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

const which = {
  php: (member: string) => `$which = ['mailbox' => 'INBOX', 'uidValidity' => $page['uidValidity'], ${member}];\n`,
  python: (member: string) => `which = {"mailbox": "INBOX", "uidValidity": page["uidValidity"], ${member}}\n`,
};

describe('docs/php-and-python.md', () => {
  it.each([
    [
      'php',
      'php',
      'page.php',
      '<?php\n',
      which.php("'uid' => 1"),
      which.php("'uids' => [1]"),
      which.php("'uids' => [99]"),
    ],
    ['python', 'python3', 'page.py', '', which.python('"uid": 1'), which.python('"uids": [1]'), ''],
  ])('has a program in %s that works, snippet by snippet', async (language, command, name, begin, one, several) => {
    const user = newUser(language);
    const attachments = [{ filename: 'notes.bin', content: Buffer.alloc(300_000, 'x') }];
    await dovecot.deliver(user, 'INBOX', [
      message({ subject: 'Hello reader', attachments }),
      message({ subject: 'Grüße' }),
    ]);
    writeFileSync(join(folder, 'answer.eml'), message({ subject: 'An answer' }));
    const [first = '', errors = '', download = '', upload = '', events = ''] = snippets(language);
    const script = [first, one, download, several, errors, upload, events].join('');
    writeFileSync(join(folder, name), begin + script.replace(/\bUSER\b/, user).replace(/\bPASSWORD\b/, PASSWORD));
    const env = { IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN, PYTHONDONTWRITEBYTECODE: '1' };
    const running = new Program(command, [name], { cwd: folder, env });
    try {
      await running.printed(/^2 Grüße\n1 Hello reader\n1\nlist INBOX\n$/);
      await dovecot.deliver(user, 'INBOX', message({ subject: 'Just arrived' }));
      await running.printed(/^new Just arrived$/m);
      expect(readFileSync(join(folder, 'attachment.bin'))).toEqual(attachments[0]?.content);
    } finally {
      await running.stop('SIGKILL');
    }
    expect(running.err).toBe('');
  });

  it('names the options that the clients have', () => {
    const php = readFileSync(join(projectRoot, 'clients/php/ImapBroker.php'), 'utf8');
    const python = readFileSync(join(projectRoot, 'clients/python/imap_broker.py'), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)];
    expect(rows).toHaveLength(7);
    const [, parameters = ''] = /public function __construct\(private \?string \$url([\s\S]*?)\{/.exec(php) ?? [];
    const [, init = ''] = /def __init__\(self, (url[\s\S]*?)\):/.exec(python) ?? [];
    for (const [, inPhp, inPython] of rows) {
      expect(`$url${parameters}`).toContain(`$${inPhp}`);
      expect(init).toMatch(new RegExp(`\\b${inPython}=`));
    }
    expect(`$url${parameters}`.match(/\$/g)).toHaveLength(rows.length);
  });

  it('links to files that are there', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect(() => readFileSync(join(projectRoot, 'docs', target)), target).not.toThrow();
    }
  });
});

describe.each([
  ['clients/php/ImapBroker.php', /^\s*(?:\/\*\*|\*|\/\/).*$/gm],
  ['clients/python/imap_broker.py', /^\s*#.*$|^\s*"""[\s\S]*?"""$/gm],
])('%s', (file, comments) => {
  it('has at most 300 lines of code', () => {
    const code = readFileSync(join(projectRoot, file), 'utf8').replace(comments, '');
    expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(300);
  });
});
