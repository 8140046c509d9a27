import { EngineError } from '../base/index.js';
import type { OperationContext } from './operation.js';

/** The error of something that was stopped by the user. */
export const cancelled = (): EngineError =>
  new EngineError('cancelled', { code: 'CANCELLED', hint: 'Nothing was changed; start again when you like.' });

/** How long work goes on without letting the process see signals. A timer costs a millisecond, a segment of a small model less. */
const breathMs = 25;

/** A function to call between segments: now and then it lets the process see signals, and stops where one asked for it. */
export const checkpoints = (context: OperationContext): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > breathMs) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    context.poll?.();
    if (context.signal.aborted) throw cancelled();
  };
};
