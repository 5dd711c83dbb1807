import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot);
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
});

describe("a client of somebody else's, in Python, written after docs/protocol.md", () => {
  it('opens, lists, gets, searches, flags, streams both ways, and closes', async () => {
    const user = newUser();
    const mails = [1, 2, 3].map((number) =>
      message({
        subject: `Number ${number}`,
        text: `Text of ${number}`,
        attachments: [{ filename: 'notes.txt', contentType: 'text/plain', content: `Notes of ${number}` }],
      }),
    );
    await dovecot.deliver(user, 'INBOX', mails);
    const env = { URL: broker.url, TOKEN, MAIL_USER: user, MAIL_PASSWORD: PASSWORD };
    const script = fileURLToPath(new URL('foreign-client.py', import.meta.url));
    const python = new Program('/usr/bin/python3', [script], { env });
    expect(await python.ended(), python.err).toBe(0);
    const size = mails[2]?.length;
    expect(JSON.parse(python.out)).toEqual({
      hello: 'broker.hello',
      inboxCount: 3,
      subjects: ['Number 3', 'Number 2', 'Number 1'],
      text: 'Text of 3',
      attachment: 'notes.txt',
      found: [2],
      flags: ['\\Seen'],
      inline: 'Notes of 3',
      source: [size, size],
      appended: 4,
      errors: ['STATE_CHANGED', 'INVALID_PARAMS', 'METHOD_NOT_FOUND', 'SESSION_EXPIRED'],
      codes: [-32021, -32602, -32601, -32003],
      field: 'limit',
      closed: true,
    });
  }, 60_000);
});
