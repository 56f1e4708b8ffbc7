import {defineConfig} from 'vitest/config';

// Suites on real parts. One file at a time: they share one machine and one test bed.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
    pool: 'forks',
    bail: 0,
  },
});
