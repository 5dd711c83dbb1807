import { expect, it, onTestFinished } from 'vitest';
import { atom, literal } from '../../src/imap/wire/tokens.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { job, proven } from './fixtures.js';

it('work of a process that was suspended in its midst sends nothing more, though the answer has come meanwhile', async () => {
  const server = await startScriptedServer();
  onTestFinished(() => server.close());
  const caller = new AbortController();
  let suspended = false;
  const beforeWork = () => {
    if (suspended) caller.abort(new Error('suspended'));
  };
  const registry = new Registry(defaultPoolLimits, { beforeWork });
  onTestFinished(() => registry.closeAll(0));
  const account = await proven(registry, server.server());
  server.on.NOOP = (command, peer) => {
    suspended = true;
    peer.ok(command);
  };
  const work = account.run(job({ effect: 'write', signal: caller.signal }), async (connection) => {
    await connection.noop();
    await connection.exec('write', 'APPEND', [atom('INBOX'), literal(Buffer.from('Hello'))]);
  });
  await expect(work).rejects.toThrow('suspended');
  await registry.closeAll(0);
  expect(server.received.join('\n')).not.toContain('APPEND');
});
