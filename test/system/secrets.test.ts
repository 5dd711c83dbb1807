import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/runtime/log/log.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';

const RIGHT = 'right-secret-7f3a';
const WRONG = 'wrong-secret-91bc';
const ACCESS = 'access-secret-55de';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let client: RawClient;
let written = '';
const received: string[] = [];
beforeAll(async () => {
  dovecot = await Dovecot.start({ password: RIGHT, authFailureDelaySeconds: 0 });
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const unreachable = dovecot.server({ name: 'unreachable', port: 1 });
  const distrusted = dovecot.server({ name: 'distrusted', secureContext: undefined });
  broker = await runBroker(dovecot, {
    servers: [dovecot.server(), unreachable, distrusted],
    log: createLog('trace', destination),
  });
  client = await RawClient.open(broker.url);
  client.ws.on('message', (data: Buffer) => received.push(data.toString()));
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
});

describe('passwords and tokens', () => {
  it('are in no log line at level trace and in no answer, whatever fails', async () => {
    const user = newUser();
    const opens = [
      { server: 'dovecot', auth: { password: WRONG } },
      { server: 'dovecot', auth: { accessToken: ACCESS } },
      { server: 'unreachable', auth: { password: RIGHT } },
      { server: 'distrusted', auth: { password: RIGHT } },
      { server: 'nowhere', auth: { password: RIGHT } },
      { server: 'dovecot', auth: { password: RIGHT, more: RIGHT } },
      { server: 'dovecot', auth: RIGHT },
      { server: 'dovecot', auth: { password: `${RIGHT}\u0000` } },
    ];
    for (const params of opens) {
      const failed = client.request('session.open', { user, ...params }).answer;
      await expect(failed).rejects.toBeInstanceOf(Error);
    }
    const opened = await client.call('session.open', { server: 'dovecot', user, auth: { password: RIGHT } });
    // The one answer that has to carry it.
    expect(received.pop()).toContain(opened.session);
    const { session } = opened;
    const data = message({ subject: 'Hello' }).toString('base64');
    const { uidValidity } = await client.call('message.append', { session, mailbox: 'INBOX', data });
    await client.call('message.list', { session, mailbox: 'INBOX' });
    const wrongs: [string, object][] = [
      ['message.list', { session, mailbox: 'Nowhere' }],
      ['message.list', { session: `${session}x`, mailbox: 'INBOX' }],
      ['message.list', { session: [session], mailbox: 'INBOX' }],
      ['message.get', { session, mailbox: 'INBOX', uidValidity: (uidValidity ?? 0) + 1, uids: [1] }],
      [session, {}],
      ['session.close', { session, [session]: session }],
    ];
    for (const [method, params] of wrongs) {
      await expect(client.request(method, params).answer).rejects.toBeInstanceOf(Error);
    }
    await dovecot.kill();
    await expect(client.call('message.list', { session, mailbox: 'INBOX' })).rejects.toBeInstanceOf(Error);
    await dovecot.run();
    await client.call('session.close', { session });

    expect(written).toContain('session.open');
    const everything = written + received.join('\n');
    const encoded = (secret: string) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')];
    const plain = Buffer.from(`\u0000${user}\u0000${RIGHT}`).toString('base64');
    for (const secret of [...[RIGHT, WRONG, ACCESS, TOKEN].flatMap(encoded), plain]) {
      expect(everything).not.toContain(secret);
    }
    expect(written).not.toContain(session);
    expect(written).not.toContain(session.split('.')[3]);
  }, 60_000);
});
