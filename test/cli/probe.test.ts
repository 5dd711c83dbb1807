import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUser, PASSWORD } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { freePorts } from '../support/ports.js';

let operated: OperatedBroker;
const mute = createServer((socket) => socket.write('* BYE go away\r\n'));
beforeAll(async () => {
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const [closed = 0] = await freePorts(1);
  operated = await OperatedBroker.start((dovecot) => ({
    servers: [
      dovecot.server(),
      { ...dovecot.server(), name: 'starttls', port: dovecot.plainPort, tls: 'starttls' },
      { ...dovecot.server(), name: 'distrusted', secureContext: undefined },
      { ...dovecot.server(), name: 'nameless', host: 'no-such-host.invalid' },
      { ...dovecot.server(), name: 'closed', port: closed, tls: 'none' },
      { ...dovecot.server(), name: 'rude', port, tls: 'none' },
      { ...dovecot.server(), name: 'plain', port: dovecot.plainPort },
    ],
  }));
});
afterAll(async () => {
  await operated.stop();
  mute.close();
});

async function steps(...args: string[]) {
  const { code, out } = await operated.run('probe', ...args, '--json');
  const parsed = JSON.parse(out) as { steps: { step: string; ok: boolean; detail: string }[] };
  const last = parsed.steps.at(-1);
  return { code, names: parsed.steps.map(({ step }) => step).join(' '), ok: last?.ok, detail: last?.detail };
}

function passwordFile(password: string): string {
  const file = join(operated.folder, 'password');
  writeFileSync(file, `${password}\n`);
  return file;
}

describe('imap-broker probe', () => {
  it('shows each step of a server that works, with its time', async () => {
    const { code, out } = await operated.run('probe', 'dovecot');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^STEP +OK +MS +DETAIL\ndns +yes +[\d.]+ +127.0.0.1 is an address\nconnect +yes .*\ntls +yes .*TLSv1.3, certificate of /,
    );
    expect(out).toMatch(/\ngreeting +yes .*OK .*\ncapabilities +yes .*CAPABILITY IMAP4rev1/);
  });

  it('takes STARTTLS after the greeting', async () => {
    expect(await steps('starttls')).toMatchObject({ code: 0, names: 'dns connect greeting tls capabilities' });
  });

  it('logs in where it is asked to, and leaves nothing there', async () => {
    const user = newUser('probed');
    const { code, names, detail } = await steps('dovecot', '--user', user, '--password-file', passwordFile(PASSWORD));
    expect([code, names]).toEqual([0, 'dns connect tls greeting capabilities login']);
    expect(detail).toBe(`${user} is logged in at Dovecot`);
    expect((await operated.dovecot.who()).get(user)).toBeUndefined();
    expect(operated.broker.registry.caps.total).toBe(0);
  });

  it('ends at the first step that fails, and says why, without a secret', async () => {
    const wrong = await steps('dovecot', '--user', newUser('wrong'), '--password-file', passwordFile('not-that-one'));
    expect(wrong).toMatchObject({ code: 1, ok: false, detail: expect.stringContaining('refused the credentials') });
    const distrusted = await steps('distrusted');
    expect(distrusted).toMatchObject({ code: 1, names: 'dns connect tls', ok: false });
    expect(distrusted.detail).toMatch(
      /^UNABLE_TO_VERIFY_LEAF_SIGNATURE: .* \(ca_file names a file with authorities to trust\)$/,
    );
    expect(await steps('nameless')).toMatchObject({ code: 1, names: 'dns', ok: false });
    expect((await steps('closed')).detail).toContain('ECONNREFUSED');
    expect(await steps('rude')).toMatchObject({ code: 1, detail: 'not a greeting: * BYE go away' });
    expect((await steps('plain')).detail).toContain(
      '(the port does not begin with TLS: tls = "starttls" may be right)',
    );
    expect(JSON.stringify(operated.logged)).not.toContain('not-that-one');
  });

  it('refuses a server that is not there, and a user without a password', async () => {
    expect(await operated.run('probe', 'elsewhere')).toMatchObject({
      code: 1,
      err: 'imap-broker: NOT_FOUND: server: no IMAP server "elsewhere" is configured.\n',
    });
    expect(await operated.run('probe', 'dovecot', '--user', 'x')).toMatchObject({
      code: 2,
      err: 'imap-broker: --user and --password-file go together.\n',
    });
  });
});
