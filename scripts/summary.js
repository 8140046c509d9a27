/**
 * Prints what a vitest JSON report counts, as one line: `12 passed, 0 failed, 3 skipped`.
 * A test file that could not be loaded has no tests to count: it is one failure. A missing report is a failure.
 * Usage: node scripts/summary.js REPORT.json
 */
import { readFileSync } from 'node:fs';

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 * @param {readonly FileResult[]} files
 */
const count = (files) => {
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  const passed = statuses.filter((status) => status === 'passed').length;
  const failed = statuses.filter((status) => status === 'failed').length + unloaded;
  return { passed, failed, skipped: statuses.length + unloaded - passed - failed };
};

/** @param {string} file @returns {readonly FileResult[]} */
const read = (file) => {
  try {
    /** @type {{ testResults: readonly FileResult[] }} */
    const report = JSON.parse(readFileSync(file, 'utf8'));
    return report.testResults;
  } catch (error) {
    console.error(`no report of the tests: ${error instanceof Error ? error.message : String(error)}`);
    return [{ status: 'failed', assertionResults: [] }];
  }
};

const { passed, failed, skipped } = count(read(process.argv[2] ?? ''));
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
if (failed > 0) process.exitCode = 1;
