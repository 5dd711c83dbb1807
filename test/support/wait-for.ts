import { vi } from 'vitest';

/** Waits until the check throws no more: as long as a busy machine may need, where vitest would wait for a second. */
export const waitFor = <T>(check: () => T | Promise<T>, interval = 50): Promise<T> =>
  vi.waitFor(check, { timeout: 15_000, interval });
