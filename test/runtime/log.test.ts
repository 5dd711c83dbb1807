import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog, type LogLevel } from '../../src/runtime/log/log.js';

function logTo(level: LogLevel) {
  const lines: string[] = [];
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString());
      done();
    },
  });
  return { log: createLog(level, destination), lines };
}

describe('the log', () => {
  it('is JSON, a line for each entry of its level', () => {
    const { log, lines } = logTo('info');
    log.debug('unseen');
    log.info({ urls: ['ws://127.0.0.1:1'] }, 'listening');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'listening', urls: ['ws://127.0.0.1:1'] });
  });

  it('shows no secret by any of its names', () => {
    const { log, lines } = logTo('info');
    const secret = { password: 'hush', accessToken: 'hush', session: 'hush', token: 'hush', authorization: 'hush' };
    log.info({ ...secret, auth: { password: 'hush' }, params: secret });
    expect(lines.join()).not.toContain('hush');
  });

  it('shows of an error its message, stack and causes, and nothing that a library attached', () => {
    const { log, lines } = logTo('info');
    const cause = Object.assign(new Error('inner'), { code: 'ECONNRESET', response: 'mail' });
    log.error({ err: Object.assign(new TypeError('outer', { cause }), { executedCommand: 'mail' }) }, 'failed');
    const { err } = JSON.parse(lines[0] ?? '') as { err: Record<string, unknown> };
    expect(err).toMatchObject({ type: 'TypeError', message: 'outer', cause: { message: 'inner', code: 'ECONNRESET' } });
    expect(err.stack).toContain('log.test');
    expect(lines.join()).not.toContain('mail"');
  });

  it('does not end in a circle of causes', () => {
    const { log, lines } = logTo('info');
    const error = new Error('round');
    error.cause = error;
    log.error({ err: error });
    log.error({ err: 'text that may be a secret' });
    expect(lines).toHaveLength(2);
    expect(lines[1]).not.toContain('secret');
  });
});
