import { afterAll, expect } from 'vitest';

// Vitest itself fails on unhandled rejections; a listener that nobody takes away shows only as a warning of Node.
const leaks: string[] = [];
process.on('warning', (warning) => {
  if (warning.name === 'MaxListenersExceededWarning') leaks.push(warning.stack ?? warning.message);
});
afterAll(() => {
  expect(leaks, 'listeners that were never removed').toEqual([]);
});
