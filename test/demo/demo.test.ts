import { describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';

const demo = (...args: string[]) => {
  builtProgram();
  return new Program(process.execPath, ['test/demo/demo.mjs', ...args], { cwd: projectRoot });
};

describe('the demo', () => {
  it('runs to its end, shows each click both ways and leaves nothing running', async () => {
    const program = demo();
    expect(await program.ended(), program.err).toBe(0);
    expect(program.err).toBe('');
    for (const click of ['Sign in', 'List the folders', 'Show the index', 'Open a message', 'Stream', 'Flag', 'Put']) {
      expect(program.out).toMatch(new RegExp(`^${click}.*: .*ms; with a connection of its own .*ms\\.$`, 'm'));
    }
    expect(program.out).toMatch(/^A new message is delivered: the event .* comes [\d.]+ ms later\.$/m);
    expect(program.out).toContain('2000000 bytes, all as they were sent');
    expect(program.out).toContain('ended with exit code 0');
  }, 90_000);

  it('stays with --keep, and the command that it prints works', async () => {
    const program = demo('--keep');
    try {
      const [, variables = '', params = ''] = await program.printed(
        /export (IMAP_BROKER_URL=.*)\n {2}npx imap-broker call message\.list '(.*)'/,
      );
      const env = Object.fromEntries(variables.split(' ').map((pair) => pair.split('=', 2)));
      const call = new Program(process.execPath, [builtProgram(), 'call', 'message.list', params], { env });
      expect(await call.ended(), call.err).toBe(0);
      expect(JSON.parse(call.out).messages).toHaveLength(3);
    } finally {
      expect(await program.stop('SIGINT')).toBe(0);
    }
  }, 90_000);
});
