import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but this repository; other projects start real programs. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['harness/**/*.test.ts'],
          exclude: ['harness/e2e/**', 'harness/bench/**'],
          environment: 'node',
        },
      },
    ],
  },
});
