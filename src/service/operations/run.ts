import { UsageError } from '../../base/index.js';
import { checkWritable } from '../../formats/index.node.js';
import type { RunInput, RunResult } from '../../protocol/index.js';
import { onEachPrompt } from '../edited-model.js';
import { Generation, type RunPlan } from '../generation.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView } from '../prompts.js';
import { checkOneRun, recorded } from '../recording/recorded.js';
import { startRecorder, type RunEnd } from '../recording/recorder.js';
import { replayed } from '../recording/replay.js';
import { score } from '../scoring.js';
import { capture } from '../capture-sites.js';

const resultOf = async (g: Generation): Promise<RunResult> => ({
  model: await g.model.summary(),
  ...promptView(g.plan.prompt),
  next: g.next,
  generated: { ids: g.ids, text: g.text },
  stop: g.stop,
  seconds: { load: g.model.loadSeconds + g.seconds.prepare, prefill: g.seconds.prefill, decode: g.seconds.decode },
  ...(g.plan.input.stages ? { steps: g.steps } : {}),
  ...(g.model.notes.length + g.notes.length > 0 ? { notes: [...g.model.notes, ...g.notes] } : {}),
});

/** What the recording tells of a result. */
const endOf = ({ stop, generated, masks, labels, notes }: RunResult): RunEnd => ({
  ...{ stop, generated: generated.text },
  ...{ ...(masks ? { masks } : {}), ...(labels ? { labels } : {}), ...(notes ? { notes } : {}) },
});

/** A run that scores words or labels has one step; its values are captured in a pass of their own. */
const scoredRun = async (plan: RunPlan & { model: OpenModel }, context: OperationContext): Promise<RunResult> => {
  const { model, input, edits, prompt, recorder } = plan;
  const result = await score(model, { input, edits, prompt }, context);
  if (!recorder || input.recordSites === undefined) return result;
  const { values } = await capture(model, { input: { sites: input.recordSites }, edits, prompt }, context);
  await recorder.values(0, values);
  return result;
};

const generatedRun = async (plan: RunPlan & { model: OpenModel }, context: OperationContext): Promise<RunResult> => {
  const generation = await new Generation(plan.model, plan, context).run();
  for (const text of generation.notes) context.note(text);
  return resultOf(generation);
};

/** Saving is checked before the model is opened. @throws UsageError OPTION_INVALID, OUT_UNWRITABLE */
const checkRecord = async (input: RunInput): Promise<void> => {
  checkOneRun(input);
  if (input.record !== undefined) return checkWritable(input.record);
  if (input.recordSites === undefined) return;
  throw new UsageError('--record-sites says what a recording keeps, and there is none', {
    code: 'OPTION_INVALID',
    hint: 'Give --record FILE.',
  });
};

/** Runs each prompt; several give an array. */
export const run: Operation<RunInput, RunResult | RunResult[]> = {
  name: 'run',
  help: 'Runs a model on a prompt: the likeliest next tokens, and, with --max-new-tokens, what it goes on to say; of a masked-word model the likeliest words at each mask, of a classifier the labels. Edits change values, weights or structure first.',
  async run(given, context) {
    await checkRecord(given);
    const { input, check } = await replayed(given);
    return onEachPrompt(input, context, async (opened) => {
      await check(opened, context);
      const recorder = await startRecorder(input, opened, 'run');
      const plan = { ...opened, input, recorder };
      const execute = opened.model.program.facts.output === 'next' ? generatedRun : scoredRun;
      return recorded(recorder, { record: input.record, context }, async () => {
        const result = await execute(plan, context);
        return { result, end: endOf(result) };
      });
    });
  },
};
