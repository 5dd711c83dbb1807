import { describe, it } from 'vitest';
import { hold } from '../../model/histories.js';
import type { DialectName } from '../../support/dialects.js';

const TIMEOUT_MS = 1_800_000;

describe('on a server that lacks almost everything every answer is as a fresh connection sees the folders', () => {
  it.each<[DialectName, number]>([
    ['bare', 0.1],
    ['bare, INBOX. before each name', 0.07],
    ['bare with ESEARCH', 0.08],
  ])('%s', (name, share) => hold(name, share, TIMEOUT_MS), TIMEOUT_MS);
});
