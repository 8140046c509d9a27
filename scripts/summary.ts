/**
 * Prints what a vitest JSON report counts, as one line: `12 passed, 0 failed, 3 skipped`.
 * A test file that could not be loaded has no tests to count: it is one failure. A missing report is a failure.
 * Usage: tsx scripts/summary.ts REPORT.json
 */
import { readFileSync } from 'node:fs';

interface FileResult {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const unloaded: FileResult = { status: 'failed', assertionResults: [] };

const read = (file: string): readonly FileResult[] => {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { testResults: readonly FileResult[] }).testResults;
  } catch (error) {
    console.error(`no report of the tests: ${error instanceof Error ? error.message : String(error)}`);
    return [unloaded];
  }
};

/** The status of each test; a file that failed without one counts as one failed test. */
const statusesOf = (file: FileResult): readonly string[] =>
  file.assertionResults.length === 0 && file.status === 'failed'
    ? ['failed']
    : file.assertionResults.map((test) => test.status);

const statuses = read(process.argv[2] ?? '').flatMap(statusesOf);
const count = (status: string): number => statuses.filter((each) => each === status).length;
const [passed, failed] = [count('passed'), count('failed')];
console.log(`${passed} passed, ${failed} failed, ${statuses.length - passed - failed} skipped`);
if (failed > 0 || passed === 0) process.exitCode = 1;
