import { UsageError } from '../../base/index.js';
import { checkDifferentiable } from '../../engine/index.js';
import { checkWritable, isRecording, writeSafetensorsFile, type NamedTensor } from '../../formats/index.node.js';
import { parseExpression } from '../../language/index.js';
import type { InspectInput, InspectResult } from '../../protocol/index.js';
import { capture } from '../capture-sites.js';
import { isSinglePrompt, onEachPrompt } from '../edited-model.js';
import { gradientCatches } from '../gradient-faults.js';
import type { Operation, OperationContext } from '../operation.js';
import { inspectRecording } from '../recording/inspect-recording.js';
import { checkOneRun, recorded } from '../recording/recorded.js';
import { startRecorder } from '../recording/recorder.js';
import { replayed } from '../recording/replay.js';

/** @throws UsageError OPTION_INVALID for what goes with no gradient or not with one, EXPRESSION_*, GRADIENT_UNDEFINED */
const checkGradients = ({ gradOf, gradWeights, gradCheckpoint, gradCatch, record }: InspectInput): void => {
  const invalid = (message: string, hint: string): UsageError =>
    new UsageError(message, { code: 'OPTION_INVALID', hint });
  if (gradOf === undefined && (gradWeights !== undefined || gradCheckpoint || gradCatch !== undefined))
    throw invalid(
      '--grad-weights, --grad-checkpoint and --grad-catch are about gradients',
      'Say of what with --grad-of, as in --grad-of "loss".',
    );
  if (gradOf !== undefined) checkDifferentiable(parseExpression(gradOf));
  if (gradCatch !== undefined) gradientCatches(gradCatch);
  if (gradOf !== undefined && record !== undefined)
    throw invalid('--record saves values, not gradients', 'Write gradients with --out FILE.safetensors.');
};

/** What can be known to be wrong before the model is opened. @throws UsageError OPTION_INVALID, OUT_UNWRITABLE */
const checkInput = async (input: InspectInput): Promise<void> => {
  const { out, record, step, prompts } = input;
  checkOneRun(input);
  checkGradients(input);
  if (out !== undefined && prompts !== undefined)
    throw new UsageError('--out holds the values of one prompt', { code: 'OPTION_INVALID', hint: 'Give one prompt.' });
  if (step !== undefined && step > 0 && !(await isRecording(input.model)))
    throw new UsageError('--step chooses a step of a recording, and this is a model', {
      code: 'OPTION_INVALID',
      hint: 'Record the run with `cutaway run MODEL --record FILE --record-sites GLOBS`, then inspect FILE.',
    });
  for (const file of [out, record]) if (file !== undefined) await checkWritable(file);
};

const writeOut = async (out: string | undefined, tensors: Iterable<NamedTensor>, context: OperationContext) => {
  if (out === undefined) return;
  await writeSafetensorsFile(out, tensors);
  context.note(`wrote ${out}`);
};

const inspectModel = async (given: InspectInput, context: OperationContext) => {
  const { input, check } = await replayed(given);
  const manyForms = input.gradOf !== undefined && isSinglePrompt(input);
  return onEachPrompt({ ...input, manyForms }, context, async (opened) => {
    await check(opened, context);
    const recorder = await startRecorder(input, opened, 'inspect');
    return recorded(recorder, { record: input.record, context }, async () => {
      const { result, values, tensors } = await capture(opened.model, { ...opened, input }, context);
      await recorder?.values(0, values);
      await writeOut(input.out, tensors, context);
      return { result, end: result.notes ? { notes: result.notes } : {} };
    });
  });
};

/** Values of sites, and gradients, with their statistics; `--out` writes them, `--record` saves them with all that led to them. */
export const inspect: Operation<InspectInput, InspectResult | InspectResult[]> = {
  name: 'inspect',
  help: 'Reads values inside the model on a prompt: the sites that match, with statistics, and, with --out, their numbers as safetensors; with --grad-of also the gradients of a number made of what it computes. Of a recording, what was saved is read, without the model.',
  async run(input, context) {
    await checkInput(input);
    if (!(await isRecording(input.model))) return inspectModel(input, context);
    const { result, tensors } = await inspectRecording(input, context);
    await writeOut(input.out, tensors, context);
    return result;
  },
};
