import { describe, it } from 'vitest';
import { hold, onSlowServer } from './histories.js';

describe('on servers that tell less, and tell it otherwise, every answer is as a fresh connection sees the folders', () => {
  it.each(['Cyrus', 'Courier'] as const)('%s', (name) => hold(name, onSlowServer()), onSlowServer().timeoutMs);
});
