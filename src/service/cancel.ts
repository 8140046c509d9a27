import { EngineError } from '../base/index.js';
import type { OperationContext } from './operation.js';

/** The error of something that was stopped by the user. */
export const cancelled = (): EngineError =>
  new EngineError('cancelled', { code: 'CANCELLED', hint: 'Nothing was changed; start again when you like.' });

/** How long work goes on without letting the process see signals. */
const breathMs = 25;

/** A turn of the event loop, in which signals and messages are seen. A timer would wait a millisecond and more for it. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });

/** A function to call between segments: now and then it lets the process see signals, and stops where one asked for it. */
export const checkpoints = (context: OperationContext): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > breathMs) {
      await turn();
      last = performance.now();
    }
    context.poll?.();
    if (context.signal.aborted) throw cancelled();
  };
};
