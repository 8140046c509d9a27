import { bug } from '../../base/index.js';
import type { CaptureInput, CaptureResult } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import type { ModelSource, OperationContext } from '../operation.js';
import { capture } from '../capture-sites.js';
import { holdRun, type HeldValue, type ValueArena } from './held.js';

interface CaptureState {
  readonly models: ModelSource;
  readonly arena: ValueArena;
  readonly revisions: Map<string, number>;
}

/** The name of a capture that was given none. */
const freeName = ({ revisions }: CaptureState): string => {
  for (let n = revisions.size + 1; ; n++) if (!revisions.has(`run-${n}`)) return `run-${n}`;
};

/** A tensor that keeps no other alive: the arena counts what it holds. */
const ownCopy = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data.slice() }) as Tensor;

/** Runs a prompt and holds what its sites are. @throws UsageError MEMORY_LIMIT, and those of `inspect` */
export const captureInto = async (
  state: CaptureState,
  input: CaptureInput,
  context: OperationContext,
): Promise<CaptureResult> => {
  const run = input.run ?? freeName(state);
  const revision = (state.revisions.get(run) ?? 0) + 1;
  const maxBytes = Math.min(input.maxBytes ?? Infinity, state.arena.limitBytes);
  const hold = async ({ model, edits, prompt }: Opened): Promise<CaptureResult> => {
    const { result, tensors } = await capture(model, { input: { ...input, maxBytes }, edits, prompt }, context);
    const { tokens, source } = prompt;
    const values = result.sites.map(({ name, axes }): [string, HeldValue] => {
      const tensor = tensors.get(name);
      if (!tensor) throw bug(`${name} was not captured`);
      return [
        name,
        { tensor: ownCopy(tensor), axes, revision, tokens, ...(source ? { sourceTokens: source.tokens } : {}) },
      ];
    });
    holdRun(state.arena, run, new Map(values));
    state.revisions.set(run, revision);
    context.note(`the host holds ${formatBytes(state.arena.bytes)}`);
    return { ...result, run, revision };
  };
  const result = await onEachPrompt(input, context, hold);
  if (Array.isArray(result)) throw bug('a capture is of one prompt');
  return result;
};
