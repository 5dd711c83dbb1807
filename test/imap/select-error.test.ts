import { describe, expect, it } from 'vitest';
import { isOutOfReach, selectError } from '../../src/imap/connection/refused-folder.js';
import { refusal } from '../../src/imap/wire/errors.js';
import { BrokerError } from '../../src/protocol/errors.js';

describe('a SELECT that the server refuses', () => {
  it.each([undefined, 'NONEXISTENT', 'TRYCREATE', 'CANNOT'])('with the code %s is NOT_FOUND of the folder', (code) => {
    const failure = refusal({ status: 'NO', text: 'no', ...(code && { code }) });
    expect(selectError(failure, 'Sent')).toMatchObject({ kind: 'NOT_FOUND', field: 'mailbox', imap: failure.imap });
  });

  it.each([
    ...['UNAVAILABLE', 'AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'EXPIRED', 'PRIVACYREQUIRED', 'CONTACTADMIN'],
    ...['NOPERM', 'INUSE', 'CORRUPTION', 'SERVERBUG', 'CLIENTBUG', 'LIMIT', 'OVERQUOTA'],
  ])('with %s does not say that the folder is missing, and stays what the server said', (code) => {
    const failure = refusal({ status: 'NO', code, text: 'Not now.' });
    expect(selectError(failure, 'Sent')).toBe(failure);
    expect(failure.kind).toBe('IMAP_NO');
  });

  it('with BAD is about the command, as Exchange says of a session that has lost its mailbox', () => {
    const failure = refusal({ status: 'BAD', text: 'User is authenticated but not connected.' });
    expect(selectError(failure, 'INBOX')).toBe(failure);
  });
});

describe('a folder', () => {
  it.each(['NONEXISTENT', 'NOPERM'])('is out of reach where the server says %s of it', (code) => {
    expect(isOutOfReach(refusal({ status: 'NO', code, text: 'no' }))).toBe(true);
  });

  it('is not out of reach where a login was refused with NOPERM, nor in use', () => {
    const imap = { status: 'NO', code: 'NOPERM', text: 'Not from there.' } as const;
    expect(isOutOfReach(new BrokerError('IMAP_AUTH_FAILED', 'refused', { imap }))).toBe(false);
    expect(isOutOfReach(refusal({ status: 'NO', code: 'INUSE', text: 'Not now.' }))).toBe(false);
  });
});
