import {defineConfig} from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['test/support/loopback-guard.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      // one process after the other for 119 files spent more than half of its time on reading the same modules again
      {extends: true, test: {name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false}},
      // what changes the process it runs in (environment, working folder, signals) or holds servers has one of its own
      {extends: true, test: {name: 'whole', include: ['test/{integration,contract}/**/*.test.ts']}},
    ],
  },
});
