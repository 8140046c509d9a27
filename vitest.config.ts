import { defineConfig } from 'vitest/config';

/** Where a machine-readable report goes besides the printed one; `.ci/run` counts from it. */
const report = process.env['CUTAWAY_TEST_REPORT'];

/** Tests run the sources directly. Two workers at most: the machines that run them have two cores. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', '.venv/**', 'bench/models/**', '**/generated/**'],
    globalSetup: ['test/support/state-folder.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
