import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PatchResult } from '../src/index.js';

const root = path.join(import.meta.dirname, '..');

/** The words of a command line, as a shell would cut this one. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');

const commands = [
  ...readFileSync(path.join(root, 'examples/README.md'), 'utf8').matchAll(/^cutaway (.* world .*)$/gm),
].map(([, line = '']) => line);

describe('the examples run on world', () => {
  it('and there are some of each', () => expect(commands.length).toBeGreaterThanOrEqual(4));

  it.each(commands)('%s', (line) => {
    const args = ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), ...words(line), '--json', '--quiet'];
    const result = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })) as PatchResult;
    expect(result.clean).toBeGreaterThan(result.corrupted ?? Infinity);
    const largest = Math.max(...result.grids.flatMap((g) => g.effect.flat().map((x) => x ?? 0)));
    expect(largest).toBeGreaterThan(0.05);
  });
});
