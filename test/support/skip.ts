import type { TestContext } from 'vitest';

/**
 * Ends a test that this machine cannot run. With CI=true that is a failure: nothing is silently untested there.
 * @param reason what is missing and what would end the skip
 */
export const skipOrFail = (context: TestContext, reason: string): never => {
  if (process.env['CI'] === 'true') throw new Error(`not to be skipped with CI=true: ${reason}`);
  return context.skip(reason);
};
