import { describe, expect, it } from 'vitest';
import { stubBroker } from '../server/stub-broker.js';
import { runMain } from './run-main.js';

describe('imap-broker call', () => {
  it.each(['watch.start', 'events.resume'])('does not begin a watch that ends with it: %s', async (method) => {
    const { url } = await stubBroker();
    const { code, err } = await runMain('call', method, '{}', '--url', url, '--token', 'good');
    expect(err).toBe(
      `imap-broker: ${method} cannot be called from here: a watch ends with the socket of its command.\n`,
    );
    expect(code).toBe(2);
  });
});
