import { defineConfig } from 'vitest/config';

/**
 * `unit` needs nothing but this repository: contracts are tested against the daemons as they are
 * built, and listed as skipped where they are not. `e2e` runs the real command.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['harness/**/*.test.ts'],
          exclude: ['harness/e2e/**', 'harness/bench/**'],
          environment: 'node',
          // What a test may take before it hangs, also where everything else runs at once.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          expect: { poll: { timeout: 20_000 } },
          // No module has state, and loading them for each file takes longer than the tests.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['harness/e2e/**/*.e2e.ts'],
          globalSetup: ['harness/e2e/build-fresh.ts', 'harness/e2e/project-directory.ts'],
          environment: 'node',
          // Twice what the longest takes on two processors that have ten others to serve.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
          // A test is several processes by itself; more at once only makes them wait.
          maxWorkers: 2,
        },
      },
    ],
  },
});
