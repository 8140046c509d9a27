import { afterEach, expect, it, vi } from 'vitest';
import { skipOrFail } from './skip.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('fails with CI=true instead of skipping, and names the reason', (context) => {
  vi.stubEnv('CI', 'true');
  expect(() => skipOrFail(context, 'no Python')).toThrow('not to be skipped with CI=true: no Python');
});
