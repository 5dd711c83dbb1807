import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../src/client/index.js';
import { runMain } from '../cli/run-main.js';
import { HostileBroker } from '../support/hostile-broker.js';

afterEach(() => void vi.unstubAllEnvs());

/** What createClient says of options, of a caller without types as well. */
function refusal(options?: unknown): string {
  try {
    createClient(options as { url: string }).close();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return '';
}

describe('createClient', () => {
  it('takes the address and the token from the environment where they are not given', async () => {
    const broker = await HostileBroker.start();
    vi.stubEnv('IMAP_BROKER_URL', `${broker.url}/?from=environment`);
    vi.stubEnv('IMAP_BROKER_TOKEN', 'of-the-environment');
    const [both, own, none] = [createClient(), createClient({ token: 'own' }), createClient({ token: null })];
    for (const client of [both, own, none]) {
      await client.broker.ping();
      client.close();
    }
    expect(broker.sockets.map(({ url }) => url)).toEqual(Array(3).fill('/?from=environment'));
    expect(broker.sockets.map(({ authorization }) => authorization)).toEqual([
      'Bearer of-the-environment',
      'Bearer own',
      undefined,
    ]);
  });

  it.each([
    [undefined, 'give createClient a url, or set IMAP_BROKER_URL'],
    [{}, 'give createClient a url, or set IMAP_BROKER_URL'],
    [{ url: undefined }, 'give createClient a url, or set IMAP_BROKER_URL'],
    [null, 'takes an object'],
    ['ws://127.0.0.1:7143', 'takes an object'],
    [{ url: 7143 }, 'url must be a string such as ws://127.0.0.1:7143, not of type number.'],
    [{ url: null }, 'url must be a string such as ws://127.0.0.1:7143, not null.'],
    [{ url: new URL('ws://a') }, 'write url.href'],
    [{ url: '' }, 'url is empty'],
    [{ url: 'http://broker:7143' }, '"http://broker:7143" is for HTTP, and a broker speaks WebSocket: write ws:// in'],
    [{ url: 'https://broker' }, 'write wss:// in its place'],
    [{ url: 'broker:7143' }, '"broker:7143" does not begin with ws://, wss:// or unix:, such as ws://127.0.0.1:7143.'],
    [{ url: '127.0.0.1:7143' }, 'does not begin with ws://'],
    [{ url: 'localhost' }, 'does not begin with ws://'],
    [{ url: '/run/imap-broker.sock' }, 'write unix:/run/imap-broker.sock for a Unix socket'],
    [{ url: 'unix:' }, 'names no file'],
    [{ url: 'unix:?shard=1' }, 'names no file'],
    [{ url: 'ws://' }, 'is no address'],
    [{ url: 'ws://a:70000' }, 'is no address'],
    [{ url: 'ws://[::1' }, 'is no address'],
    [{ url: 'ws://a/#b' }, 'has a #'],
    [{ url: 'ws://127.0.0.1:7143\n' }, 'trim what was read from a file'],
    [{ url: ' ws://127.0.0.1:7143' }, 'trim what was read from a file'],
    [{ url: 'ws://a\u0000b' }, 'trim what was read from a file'],
    [{ url: `wsx://${'a'.repeat(100_000)}` }, 'does not begin with ws://'],
    [{ url: 'ws://a', token: 5 }, 'token must be a string, not of type number.'],
    [{ url: 'ws://a', token: '' }, 'token is empty'],
    [{ url: 'ws://a', connectTimeoutMs: 0 }, 'connectTimeoutMs must be a number'],
    [{ url: 'ws://a', connectTimeoutMs: Number.NaN }, 'connectTimeoutMs must be a number'],
    [{ url: 'ws://a', connectTimeoutMs: '5s' }, 'connectTimeoutMs must be a number'],
  ])('says of %j what is wrong', (options, message) => {
    expect(refusal(options)).toContain(message);
    expect(refusal(options).length).toBeLessThan(500);
  });

  it.each([
    { url: 'ws://a', token: 'secret\n' },
    { url: 'ws://a', token: 'secret\r\nHost: other' },
    { url: 'ws://a', token: 'two secrets' },
    { url: 'ws://user:secret@a' },
    { url: 'http://user:secret@a' },
  ])('never says the secret in %j', (options) => {
    expect(refusal(options)).not.toBe('');
    expect(refusal(options)).not.toContain('secret');
  });

  it('names the variable of the environment that is wrong, and takes an empty one for none', () => {
    vi.stubEnv('IMAP_BROKER_URL', 'http://a');
    expect(refusal()).toContain('IMAP_BROKER_URL "http://a" is for HTTP');
    vi.stubEnv('IMAP_BROKER_URL', '');
    expect(refusal()).toContain('There is no address of a broker');
    vi.stubEnv('IMAP_BROKER_TOKEN', 'a b');
    expect(refusal({ url: 'ws://a' })).toContain('IMAP_BROKER_TOKEN has a blank');
    vi.stubEnv('IMAP_BROKER_TOKEN', '');
    expect(refusal({ url: 'ws://a' })).toBe('');
  });

  it('has commands for operators send no token of an application', async () => {
    const broker = await HostileBroker.start();
    vi.stubEnv('IMAP_BROKER_TOKEN', 'of-an-application');
    await runMain('servers', '--json', '--url', broker.url);
    expect(broker.sockets.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each(['ws://a', 'wss://a:1/path?shard=1', 'WS://A', 'ws:a:1', 'unix:/a', 'unix:a', 'unix:///run/a.sock?x=1'])(
    'takes %s',
    (url) => expect(refusal({ url, token: 'a-Z0.9_~+/=' })).toBe(''),
  );
});
