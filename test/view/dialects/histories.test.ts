import { describe, it } from 'vitest';
import { hold, onDovecot } from '../../model/histories.js';
import type { DialectName } from '../../support/dialects.js';

describe('on a server that lacks almost everything every answer is as a fresh connection sees the folders', () => {
  it.each<[DialectName, number]>([
    ['bare', 0.1],
    ['bare, INBOX. before each name', 0.07],
    ['bare with ESEARCH', 0.08],
  ])('%s', (name, share) => hold(name, onDovecot(share)), onDovecot(1).timeoutMs);
});
