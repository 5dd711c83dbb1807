import { describe, expect, it } from 'vitest';
import { selectError } from '../../src/imap/connection/selected-mailbox.js';
import { refusal } from '../../src/imap/wire/errors.js';

describe('a SELECT that the server refuses', () => {
  it.each([undefined, 'NONEXISTENT', 'NOPERM'])('with the code %s is NOT_FOUND of the folder', (code) => {
    const failure = refusal({ status: 'NO', text: 'no', ...(code && { code }) });
    expect(selectError(failure, 'Sent')).toMatchObject({ kind: 'NOT_FOUND', field: 'mailbox' });
  });

  it('with SERVERBUG says nothing of the folder, and stays what the server said', () => {
    const failure = refusal({ status: 'NO', code: 'SERVERBUG', text: 'Internal error occurred.' });
    expect(selectError(failure, 'Sent')).toBe(failure);
    expect(failure.kind).toBe('IMAP_NO');
  });
});
