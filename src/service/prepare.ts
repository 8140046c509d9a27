import { prepareForward, type Variant } from '../engine/index.js';
import { checkpoints } from './cancel.js';
import type { OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';

export const secondsSince = (from: number): number => (performance.now() - from) / 1000;

/** Tells something once, when more than a second has gone by. */
const tellOnce = (context: OperationContext, text: string): ((since: number) => void) => {
  let told = false;
  return (since) => {
    if (told || secondsSince(since) < 1) return;
    told = true;
    context.note(text);
  };
};

/** Makes what runs the model ready, and captures sites of it. @returns the seconds it took */
export const prepareSegments = async (
  model: OpenModel,
  { variant, capture }: { readonly variant: Variant; readonly capture?: ReadonlySet<string> },
  context: OperationContext,
): Promise<number> => {
  const from = performance.now();
  const onSegment = checkpoints(context);
  const telling = tellOnce(context, 'packing the weights, which takes some seconds for a large model');
  const total = variant.order.length;
  let done = 0;
  await prepareForward(model, {
    ...{ variant, ...(capture ? { capture } : {}) },
    onSegment: () => {
      telling(from);
      context.progress?.({ done: done++, total, what: 'segments ready' });
      return onSegment();
    },
  });
  return secondsSince(from);
};
