import { afterAll, expect } from 'vitest';

// Vitest itself fails on unhandled rejections; a listener that is never taken away shows only as a warning of Node.
const leaks: string[] = [];
const note = (warning: Error) => {
  if (warning.name === 'MaxListenersExceededWarning') leaks.push(warning.stack ?? warning.message);
};
process.on('warning', note);
afterAll(() => {
  process.off('warning', note);
  expect(leaks, 'listeners that were never removed').toEqual([]);
});
