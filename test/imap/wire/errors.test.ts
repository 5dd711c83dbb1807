import { describe, expect, it } from 'vitest';
import { connectionLost, refusal } from '../../../src/imap/wire/errors.js';

describe('the error of a command', () => {
  it.each([
    [{ status: 'NO', code: undefined, text: 'no' }, 'IMAP_NO'],
    [{ status: 'BAD', code: undefined, text: 'what?' }, 'IMAP_NO'],
    [{ status: 'NO', code: 'NONEXISTENT', text: 'no' }, 'NOT_FOUND'],
    [{ status: 'NO', code: 'TRYCREATE', text: 'no' }, 'NOT_FOUND'],
  ] as const)('that was refused by %j is %s, and nothing was executed', (imap, kind) => {
    expect(refusal(imap)).toMatchObject({ kind, executed: 'no', imap });
  });

  it('that was throttled says how long the server wants to be left alone', () => {
    const text = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';
    const imap = { status: 'BAD', code: undefined, text } as const;
    expect(refusal(imap)).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', executed: 'no', retryAfterMs: 92_415 });
    const long = { ...imap, text: text.replace('92415', '999999999') };
    expect(refusal(long)).toMatchObject({ retryAfterMs: 300_000 });
  });

  it('whose connection ended has the words of the BYE and a time to wait, where there was one', () => {
    expect(connectionLost(undefined, 'shutting down')).toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'maybe',
      retryAfterMs: 2_000,
      imap: { status: 'BYE', text: 'shutting down' },
    });
    expect(connectionLost(new Error('gone'))).toMatchObject({ retryAfterMs: undefined, imap: undefined });
  });
});
