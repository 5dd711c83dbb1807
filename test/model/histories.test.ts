import { describe, it } from 'vitest';
import type { DialectName } from '../support/dialects.js';
import { hold, onDovecot } from './histories.js';

describe('whatever other clients and the broker itself do to folders, every answer is as a fresh connection sees them', () => {
  it.each<[DialectName, number]>([
    ['full', 0.3],
    ['without QRESYNC', 0.25],
    ['without CONDSTORE', 0.2],
  ])('on a server that is %s', (name, share) => hold(name, onDovecot(share)), onDovecot(1).timeoutMs);

  it(
    'by a broker that forgets in the middle of its work, as one does whose memory is full',
    () => hold('full', { ...onDovecot(0.15), forgetsEach: 7 }),
    onDovecot(1).timeoutMs,
  );
});
