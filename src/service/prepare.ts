import { prepareForward, type Variant } from '../engine/index.js';
import { checkpoints } from './cancel.js';
import type { ProgressPart } from '../protocol/index.js';
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

/** A run that is faster than this tells nothing of how far it is: it would be told of each slider's move. */
const quietSeconds = 0.3;

/** Bytes of float32 weights that each instance of a run reads and none before it has. */
const newBytes = ({ order }: Variant): readonly number[] => {
  const seen = new Set<string>();
  return order.map(({ segment }) => {
    const fresh = segment.graph.params.filter(({ name }) => !seen.has(name));
    for (const { name } of fresh) seen.add(name);
    return fresh.reduce((sum, { type }) => sum + 4 * type.shape.reduce<number>((n, d) => n * Number(d), 1), 0);
  });
};

/** To call before each segment of a pass that begins now: tells how far a long one is. */
export const passProgress = (variant: Variant, tell: (part: ProgressPart) => void): ((name: string) => void) => {
  const from = performance.now();
  let bytes: readonly number[] = [];
  const sum = (upTo: number): number => bytes.slice(0, upTo).reduce((a, b) => a + b, 0);
  return (name) => {
    const done = variant.order.findIndex((instance) => instance.name === name);
    if (secondsSince(from) <= quietSeconds || done < 0) return;
    if (bytes.length === 0) bytes = newBytes(variant);
    const told = { done, total: variant.order.length, what: 'segments' };
    tell({ ...told, bytes: { done: sum(done), total: sum(bytes.length) } });
  };
};

/** To call before each segment of a run: a checkpoint, which tells how far a long one is. */
export const tellingSegments = (variant: Variant, context: OperationContext): ((name: string) => Promise<void>) => {
  const onSegment = checkpoints(context);
  const progress = passProgress(variant, (part) => context.progress?.(part));
  return (name) => {
    progress(name);
    return onSegment();
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
