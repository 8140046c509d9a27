import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'vitest';
import { root } from './root.js';
import { skipOrFail } from './skip.js';

/** Prints the modules of its arguments that are not installed; importing them would take seconds. */
const findMissing = `import sys, importlib.util
print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])`;

const python = (): string | undefined =>
  [
    process.env['CUTAWAY_PYTHON'],
    path.join(root, '.venv/bin/python'),
    path.join(root, '.venv/Scripts/python.exe'),
  ].find((file) => file !== undefined && existsSync(file));

/**
 * A Python interpreter that has the modules: `CUTAWAY_PYTHON`, else the one of `.venv/`. The test is skipped where
 * there is none (a failure with CI=true).
 * @param modules names as imported: `numpy`, `onnx`
 * @returns absolute path of the interpreter
 */
export const pythonOrSkip = (context: TestContext, ...modules: readonly string[]): string => {
  const install = 'make .venv with test/python/requirements.txt, or name an interpreter in CUTAWAY_PYTHON';
  const found = python();
  if (found === undefined) return skipOrFail(context, `no Python: ${install}`);
  const missing = execFileSync(found, ['-c', findMissing, ...modules], { encoding: 'utf8' }).trim();
  return missing === '' ? found : skipOrFail(context, `Python lacks ${missing.replaceAll(' ', ', ')}: ${install}`);
};
