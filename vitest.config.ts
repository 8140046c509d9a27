import { defineConfig } from 'vitest/config';

/** Tests run the sources directly. Two workers at most: the machines that run them have two cores. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', '.venv/**', 'bench/models/**', '**/generated/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A run that finds no test is a mistake, unless a filter was given on purpose.
    passWithNoTests: false,
  },
});
