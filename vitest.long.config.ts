import {defineConfig} from 'vitest/config';

// Suites that are too long for every run; CI takes as many of their shards as its time allows.
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
    pool: 'forks',
  },
});
