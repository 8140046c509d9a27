import { EngineError } from '../base/index.js';
import type { OperationContext } from './operation.js';

/** The error of something that was stopped by the user. */
export const cancelled = (): EngineError =>
  new EngineError('cancelled', { code: 'CANCELLED', hint: 'Nothing was changed; start again when you like.' });

/** Lets the process see signals between segments, and stops where one asked for it. */
export const checkpoint = async ({ signal }: OperationContext): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve));
  if (signal.aborted) throw cancelled();
};
