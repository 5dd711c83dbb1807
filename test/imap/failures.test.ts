import { describe, expect, it } from 'vitest';
import { commandError, connectError, keepsConnection, replyOf } from '../../src/imap/failures.js';
import { BrokerError } from '../../src/protocol/errors.js';

const failure = (details: object, message = 'Command failed') => Object.assign(new Error(message), details);

describe('the error of a failed command', () => {
  it.each([
    [{ responseStatus: 'NO', responseText: 'no' }, 'IMAP_NO', 'no'],
    [{ responseStatus: 'BAD', responseText: 'what?' }, 'IMAP_NO', 'no'],
    [{ responseStatus: 'NO', serverResponseCode: 'NONEXISTENT' }, 'NOT_FOUND', 'no'],
    [{ responseStatus: 'NO', serverResponseCode: 'trycreate' }, 'NOT_FOUND', 'no'],
    [{ code: 'MissingTag', responseStatus: 'BAD' }, 'IMAP_NO', 'no'],
    [{ code: 'ETHROTTLE', responseStatus: 'BAD' }, 'UPSTREAM_UNAVAILABLE', 'no'],
    [{ code: 'InvalidStringValue' }, 'INVALID_PARAMS', 'no'],
    [{ code: 'InvalidSequenceSet' }, 'INVALID_PARAMS', 'no'],
    [{ code: 'InvalidResponse' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'NoConnection' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'EConnectionClosed' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'UnexpectedTag' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'ResponseProcessingFailed' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'ParserError7' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'ECONNRESET', syscall: 'read' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'CONNECTION_LOST', 'maybe'],
    [{ responseStatus: 'BYE', responseText: 'bye' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'NoConnection', responseStatus: 'BYE' }, 'CONNECTION_LOST', 'maybe'],
    [{ code: 'LiteralTooLarge' }, 'TOO_LARGE', 'maybe'],
    [{ code: 'ResponseTooLarge' }, 'TOO_LARGE', 'maybe'],
    [{ code: 'TooManyTokens' }, 'TOO_LARGE', 'maybe'],
    [{ code: 'NoMailboxSelected' }, 'INTERNAL', 'maybe'],
    [{ code: 'InstanceReused' }, 'INTERNAL', 'maybe'],
    [{}, 'INTERNAL', 'maybe'],
  ] as const)('%j is %s, executed: %s', (details, kind, executed) => {
    const cause = failure(details);
    expect(commandError(cause)).toMatchObject({ kind, executed, cause });
  });

  it.each([new TypeError('x is undefined'), new RangeError('out of it'), 'a string', undefined, null])(
    'that is a defect is INTERNAL and says nothing of the cause: %s',
    (defect) => {
      expect(commandError(defect).toWire()).toEqual({
        code: -32603,
        message: 'The broker failed; its log has the cause.',
        data: { kind: 'INTERNAL', executed: 'maybe' },
      });
    },
  );

  it('on a connection that has ended is a lost connection, whatever imapflow tripped over', () => {
    const lost = { kind: 'CONNECTION_LOST', executed: 'maybe' };
    expect(commandError(new TypeError('null has no write'), { bye: undefined })).toMatchObject(lost);
    expect(commandError(undefined, { bye: undefined })).toMatchObject({ ...lost, retryAfterMs: undefined });
  });

  it('of a connection that ended with BYE has the words of the server and a time to wait', () => {
    const lost = { kind: 'CONNECTION_LOST', retryAfterMs: 2_000, imap: { status: 'BYE', text: 'shutting down' } };
    expect(commandError(failure({ code: 'NoConnection' }), { bye: 'shutting down' })).toMatchObject(lost);
    expect(commandError(failure({ code: 'NoConnection', reason: 'shutting down' }))).toMatchObject(lost);
  });

  it('leaves a refusal as it is although the connection ended behind it', () => {
    const refused = failure({ responseStatus: 'NO', responseText: 'no' });
    expect(commandError(refused, { bye: 'and bye' })).toMatchObject({ kind: 'IMAP_NO', executed: 'no' });
  });

  it('leaves a BrokerError as it is', () => {
    const error = new BrokerError('TOO_LARGE', 'too much', { executed: 'yes' });
    expect(commandError(error)).toBe(error);
    expect(connectError(error, 'example')).toBe(error);
  });

  it('says how long a throttling server wants to be left alone', () => {
    const throttled = failure({
      code: 'ETHROTTLE',
      responseStatus: 'BAD',
      responseText: 'slow',
      throttleReset: 92_415,
    });
    expect(commandError(throttled)).toMatchObject({ retryAfterMs: 92_415, imap: { status: 'BAD', text: 'slow' } });
  });

  it('keeps the connection only if the server answered or heard nothing', () => {
    const kept = (details: object) => keepsConnection(commandError(failure(details)));
    expect(kept({ responseStatus: 'NO' })).toBe(true);
    expect(kept({ responseStatus: 'NO', serverResponseCode: 'NONEXISTENT' })).toBe(true);
    expect(kept({ code: 'InvalidTokenValue' })).toBe(true);
    expect(kept({ code: 'ETHROTTLE' })).toBe(true);
    for (const code of ['NoConnection', 'InvalidResponse', 'LiteralTooLarge', '']) expect(kept({ code })).toBe(false);
  });
});

describe('the error of a failed connect', () => {
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

  it('names the server and why, but takes no reason of TLS for words of the server', () => {
    const error = connectError(failure({ code: 'CERT_HAS_EXPIRED', reason: 'certificate has expired' }), 'example');
    expect(error.message).toBe('No connection to the IMAP server "example": CERT_HAS_EXPIRED');
    expect(error).toMatchObject({ imap: undefined, retryAfterMs: 2_000 });
    const bye = connectError(failure({ code: 'ClosedAfterConnectTLS', reason: 'Too many connections' }), 'example');
    expect(bye).toMatchObject({ imap: { status: 'BYE', text: 'Too many connections' } });
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
