import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'vitest';
import { root } from './root.js';
import { skipOrFail } from './skip.js';

/**
 * The absolute path of a file or folder of `../shared/data`, such as `models/tinystories-656k`. The test is skipped
 * where there is none (a failure with CI=true).
 * @param file relative to `../shared/data`
 */
export const sharedOrSkip = (context: TestContext, file: string): string => {
  const found = path.join(root, '..', 'shared', 'data', file);
  return existsSync(found)
    ? found
    : skipOrFail(context, `no ../shared/data/${file}: put the shared data beside the repository`);
};
