import { describe, expect, it } from 'vitest';
import { connectError, replyOf } from '../../../src/imap/login/failures.js';
import { withoutSecrets } from '../../../src/imap/login/without-secrets.js';
import { BrokerError } from '../../../src/protocol/errors.js';

const failure = (details: object, message = 'Command failed') => Object.assign(new Error(message), details);

describe('the error of a failed connect', () => {
  it('that is known already stays as it is', () => {
    const error = new BrokerError('TOO_LARGE', 'too much', { executed: 'yes' });
    expect(connectError(error, 'example')).toBe(error);
  });

  it.each([
    [{ code: 'ECONNREFUSED' }, 'UPSTREAM_UNAVAILABLE'],
    [{ code: 'CERT_HAS_EXPIRED', reason: 'certificate has expired' }, 'UPSTREAM_UNAVAILABLE'],
    [{ authenticationFailed: true }, 'UPSTREAM_UNAVAILABLE'],
    [{ authenticationFailed: true, responseStatus: 'NO' }, 'IMAP_AUTH_FAILED'],
    [{ authenticationFailed: true, responseStatus: 'NO', serverResponseCode: 'LIMIT' }, 'UPSTREAM_UNAVAILABLE'],
    [{ authenticationFailed: true, responseStatus: 'NO', serverResponseCode: 'inuse' }, 'UPSTREAM_UNAVAILABLE'],
    [{ code: 'InvalidStringValue' }, 'INVALID_PARAMS'],
  ] as const)('%j is %s and nothing was executed', (details, kind) => {
    expect(connectError(failure(details), 'example')).toMatchObject({ kind, executed: 'no' });
  });

  it.each([
    [{ greeted: true, secured: true }, 92_415, 92_415],
    [{ greeted: true, secured: false }, 92_415, 92_415],
    [{ greeted: true, secured: true }, 1e15, 3_600_000],
    [{ greeted: true, secured: false }, Number.POSITIVE_INFINITY, 3_600_000],
  ])('says how long a throttling server wants to be left alone, within bounds: %j, %d ms', (progress, asked, told) => {
    const throttled = failure({ code: 'ETHROTTLE', responseStatus: 'BAD', throttleReset: asked });
    expect(connectError(throttled, 'example', undefined, progress)).toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      retryAfterMs: told,
    });
  });

  it('names the server and why, but takes no reason of TLS for words of the server', () => {
    const error = connectError(failure({ code: 'CERT_HAS_EXPIRED', reason: 'certificate has expired' }), 'example');
    expect(error.message).toBe('No connection to the IMAP server "example": CERT_HAS_EXPIRED');
    expect(error).toMatchObject({ imap: undefined, retryAfterMs: 2_000 });
    const bye = connectError(failure({ code: 'ClosedAfterConnectTLS', reason: 'Too many connections' }), 'example');
    expect(bye).toMatchObject({ imap: { status: 'BYE', text: 'Too many connections' } });
  });
});

describe('what is told of a refused login', () => {
  const told = (text: string, credentials: Parameters<typeof withoutSecrets>[1]) =>
    withoutSecrets(Object.assign(new Error(text), { responseText: text, response: text }), credentials);
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it.each([
    ['as it is', 'open "sesame"'],
    ['quoted', 'open \\"sesame\\"'],
    ['as PLAIN sends it', base64('\0alice\0open "sesame"')],
    ['as LOGIN sends it', base64('open "sesame"')],
  ])('has no password in it: %s', (_name, form) => {
    const safe = told(`Wrong: ${form}!`, { user: 'alice', password: 'open "sesame"' });
    expect(safe).toMatchObject({ message: 'Wrong: ***!', responseText: 'Wrong: ***!', response: 'Wrong: ***!' });
  });

  it('has no access token in it, is short, and has no controls', () => {
    const safe = told(`bad ${'x'.repeat(5000)}`, { user: 'alice', accessToken: 'ya29' }) as Error;
    expect(safe.message).toHaveLength(1024);
    expect(told('no ya29\u001b[2J', { user: 'alice', accessToken: 'ya29' })).toMatchObject({
      message: 'no ***\uFFFD[2J',
    });
  });

  it('has a response code that is short and has no password in it', () => {
    const credentials = { user: 'alice', password: 'sesame' };
    const code = (serverResponseCode: string) =>
      withoutSecrets(Object.assign(new Error('no'), { serverResponseCode }), credentials);
    expect(code('AUTHENTICATIONFAILED')).toMatchObject({ serverResponseCode: 'AUTHENTICATIONFAILED' });
    expect(code('X-sesame')).toMatchObject({ serverResponseCode: 'X-***' });
    expect(code('X'.repeat(100_000))).toMatchObject({ serverResponseCode: `${'X'.repeat(1021)}...` });
  });

  it('keeps nothing else of what was sent', () => {
    const failure = Object.assign(new Error('no'), { executedCommand: 'LOGIN alice secret', code: 'X' });
    expect(JSON.stringify(withoutSecrets(failure, { user: 'alice', password: 'secret' }))).not.toContain('secret');
  });
});

describe('the reply in a failure', () => {
  it('is there only if the server spoke', () => {
    expect(replyOf(failure({ responseStatus: 'NO', response: 'No way' }))).toEqual({
      status: 'NO',
      code: undefined,
      text: 'No way',
    });
    for (const silent of [failure({ code: 'NoConnection' }), undefined, 'text'])
      expect(replyOf(silent)).toBeUndefined();
  });
});
