import { defineConfig } from 'vitest/config';

/** Benchmarks, one after the other: they measure, and so must have the machine to themselves. */
export default defineConfig({
  test: {
    include: ['test/bench/**/*.bench.ts'],
    fileParallelism: false,
    globalSetup: ['test/support/global-setup.ts'],
  },
});
