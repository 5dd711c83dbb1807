import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const folder = mkdtempSync(join(tmpdir(), 'imap-broker-helpdesk-'));
const tickets = join(folder, 'tickets');
const user = newUser('desk');

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
beforeAll(async () => {
  dovecot = await Dovecot.start({ settings: promptIdle });
  broker = await runBroker(dovecot, { servers: [dovecot.server({ name: 'main' })] });
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(password = PASSWORD): Program {
  const account = { IMAP_SERVER: 'main', IMAP_USER: user, IMAP_PASSWORD: password };
  const env = { ...account, IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN, PYTHONDONTWRITEBYTECODE: '1' };
  return new Program('/usr/bin/python3', ['examples/python/helpdesk.py', tickets], { cwd: projectRoot, env });
}

const subjects = () =>
  existsSync(tickets)
    ? readdirSync(tickets).map((name) => JSON.parse(readFileSync(join(tickets, name), 'utf8')).subject)
    : [];

describe('the helpdesk in Python', () => {
  it('makes a ticket of each mail once, also of those that come while it does not run', async () => {
    const attachments = [{ filename: 'Plan.pdf', content: 'x' }];
    await dovecot.deliver(user, 'INBOX', [message({ subject: 'Here before', text: 'Please help.', attachments })]);
    const desk = start();
    try {
      await desk.printed(/^Ticket \d+-1: Here before$/m);
      await dovecot.deliver(user, 'INBOX', message({ subject: 'Grüße, live' }));
      await desk.printed(/^Ticket \d+-2: Grüße, live$/m);
    } finally {
      expect(await desk.stop('SIGTERM'), desk.err).toBe(0);
    }
    await dovecot.deliver(user, 'INBOX', message({ subject: 'In the meantime' }));
    const next = start();
    try {
      await next.printed(/^Ticket \d+-3: In the meantime$/m);
      expect(next.out.match(/^Ticket/gm)).toHaveLength(1);
    } finally {
      await next.stop('SIGINT');
    }
    expect(next.err).toBe('');
    expect(subjects().sort()).toEqual(['Grüße, live', 'Here before', 'In the meantime']);
    const [first = ''] = readdirSync(tickets).sort();
    expect(JSON.parse(readFileSync(join(tickets, first), 'utf8'))).toMatchObject({
      from: ['alice@example.com'],
      text: expect.stringContaining('Please help.'),
      attachments: ['Plan.pdf'],
    });
    const flow = await dovecot.client(user);
    await flow.mailboxOpen('INBOX');
    expect(await flow.search({ keyword: '$Ticket' })).toHaveLength(3);
  });

  it('ends with a sentence where the password is wrong', async () => {
    const desk = start('wrong');
    expect(await desk.ended()).toBe(1);
    expect(desk.err).toMatch(/^IMAP_AUTH_FAILED: .+$/m);
    expect(desk.err).not.toContain('Traceback');
  });
});
