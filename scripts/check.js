/** `npm run check`: every check runs, also after one failed; each is reported by name, and the end says which failed. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The npm scripts `check:NAME`, slowest first. */
const checks = ['lint', 'types', 'format', 'layers', 'docs'];

/**
 * @typedef {{ name: string; passed: boolean; output: string; seconds: number }} Outcome
 * @param {string} name
 * @returns {Promise<Outcome>}
 */
const run = (name) =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn('npm', ['run', '--silent', `check:${name}`], {
      shell: process.platform === 'win32',
      env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
    });
    let output = '';
    child.stdout.on('data', (text) => (output += String(text)));
    child.stderr.on('data', (text) => (output += String(text)));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ name, passed: status === 0, output, seconds: (performance.now() - started) / 1000 }),
    );
  });

/** @param {Outcome} outcome */
const report = ({ name, passed, output, seconds }) => {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  if (!passed) console.log(output.trimEnd().replaceAll(/^/gm, '       '));
};

const waiting = [...checks];
/** @type {string[]} */
const failed = [];
const lane = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const outcome = await run(name);
    report(outcome);
    if (!outcome.passed) failed.push(name);
  }
};
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));

if (failed.length > 0) {
  console.log(`check failed: ${failed.join(', ')} (again alone: npm run check:${failed[0]})`);
  process.exitCode = 1;
}
