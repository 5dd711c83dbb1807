import { describe, expect, it, onTestFinished } from 'vitest';
import { brokerHandlers } from '../../src/methods/broker.js';
import { contract } from '../../src/protocol/contract.js';
import { Dovecot, type DovecotOptions, newUser, PASSWORD } from '../support/dovecot.js';
import { directAccount, handlerContext } from '../support/handler-context.js';

const { 'quota.get': get } = brokerHandlers;

async function quota(options: DovecotOptions, messages: string[] = []) {
  const dovecot = await Dovecot.start(options);
  onTestFinished(() => dovecot.stop());
  const user = newUser();
  await dovecot.deliver(user, 'INBOX', messages);
  const account = await directAccount(dovecot.server(), { user, password: PASSWORD });
  onTestFinished(() => account.close());
  const result = await get(handlerContext('quota.get', account), { session: 's', mailbox: 'INBOX' });
  expect(contract['quota.get'].result.parse(result)).toEqual(result);
  return result;
}

describe('quota', () => {
  it('is told in bytes and messages', async () => {
    const message = `Subject: big\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(8192, 'y');
    expect(await quota({ quota: '10M' }, [message, message])).toMatchObject({
      supported: true,
      roots: [
        {
          root: 'User quota',
          storage: { used: 16_384, limit: 10 * 1024 * 1024 },
          messages: { used: 2, limit: 100_000 },
          others: [],
        },
      ],
      meta: { source: 'server' },
    });
  });

  it('is told of each root', async () => {
    const settings = 'plugin {\n  quota2 = count:Second\n  quota2_rule = *:messages=7\n}';
    expect((await quota({ quota: '10M', settings }, ['Subject: a\r\n\r\nb'])).roots).toMatchObject([
      { root: 'User quota', storage: { limit: 10 * 1024 * 1024 } },
      { root: 'Second', storage: null, messages: { used: 1, limit: 7 } },
    ]);
  });

  it('is told as not supported by a server without it', async () => {
    expect(await quota({ imapCapability: 'IMAP4rev1 NAMESPACE' })).toMatchObject({
      supported: false,
      roots: [],
    });
  });
});
