import { defineConfig } from 'vitest/config';
import { projectFiles } from './test/support/projects.js';

export default defineConfig({
  test: {
    setupFiles: ['test/support/no-unhandled.ts'],
    pool: 'forks',
    // On two cores: half of the time of a test is a wait for servers and timers.
    maxWorkers: 3,
    // Guards against a hang, not limits of speed: a test passes on a machine that has other work too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: ['default'],
    projects: Array.from(projectFiles(), ([name, include]) => ({
      extends: true as const,
      test: {
        name,
        include,
        // Files share their worker's modules: to load them for each file costs as much as many of the tests.
        isolate: false,
        ...(name === 'unit' ? {} : { globalSetup: ['test/support/global-setup.ts'] }),
      },
    })),
  },
});
